import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { Buffer } from 'node:buffer';
import { fileURLToPath } from 'node:url';

/** A place in a stack: `file:///code/index.js:3:14`. */
const PLACE = /(file:\/\/[^\s()]+):(\d+):(\d+)/g;
const LAST_COMMENT = /^\/\/[#@] ?sourceMappingURL=(\S+)\s*$/gm;
const DATA_URL = /^data:application\/json(?:;charset=[\w-]+)?(;base64)?,(.*)$/s;

const maps = new Map<string, SourceMap | undefined>();

function isPayload(value: unknown): value is SourceMapPayload {
  return typeof value === 'object' && value !== null && 'mappings' in value && 'sources' in value;
}

function payloadOf(file: string): SourceMapPayload | undefined {
  const url = [...readFileSync(fileURLToPath(file), 'utf8').matchAll(LAST_COMMENT)].at(-1)?.[1];
  if (url === undefined) return undefined;
  const [, base64, data = ''] = DATA_URL.exec(url) ?? [];
  const text = DATA_URL.test(url)
    ? base64 === undefined
      ? decodeURIComponent(data)
      : Buffer.from(data, 'base64').toString('utf8')
    : readFileSync(fileURLToPath(new URL(url, file)), 'utf8');
  const payload: unknown = JSON.parse(text);
  return isPayload(payload) ? payload : undefined;
}

/** The map of a script, read when an error is first printed. A map that is missing or broken leaves the stack as it is. */
function mapOf(file: string): SourceMap | undefined {
  if (maps.has(file)) return maps.get(file);
  let map: SourceMap | undefined;
  try {
    const payload = payloadOf(file);
    map = payload === undefined ? undefined : new SourceMap(payload);
  } catch {
    map = undefined;
  }
  maps.set(file, map);
  return map;
}

/** Replaces places in built scripts by those in their sources, as far as source maps tell. */
export function mapStack(stack: string): string {
  return stack.replace(PLACE, (place, file: string, line: string, column: string) => {
    const entry = mapOf(file)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !('originalSource' in entry)) return place;
    const source = URL.canParse(entry.originalSource, file)
      ? new URL(entry.originalSource, file).href
      : entry.originalSource;
    return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

/**
 * The text of a source that a stack names: as a map that was read has it, or of the file.
 *
 * @param url a `file:` URL
 */
export function sourceText(url: string): string | undefined {
  for (const [script, map] of maps) {
    const index = map?.payload.sources.findIndex(
      (source) => URL.canParse(source, script) && new URL(source, script).href === url,
    );
    const text = index === undefined ? undefined : map?.payload.sourcesContent[index];
    if (text !== undefined) return text;
  }
  try {
    return readFileSync(fileURLToPath(url), 'utf8');
  } catch {
    // The place is no file of this machine.
    return undefined;
  }
}
