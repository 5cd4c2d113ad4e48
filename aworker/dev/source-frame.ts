import { sourceText } from '../engine/source-map.js';

const PLACE = /(file:\/\/[^\s()]+):(\d+):(\d+)/;
const BEFORE = 2;
const AFTER = 2;

/**
 * The lines of source about the first place in a stack, with a mark under the column; empty where it names none, or its source is not there.
 *
 * @param stack in terms of sources (mapStack)
 */
export function sourceFrame(stack: string): string {
  const [, url = '', line = '', column = ''] = PLACE.exec(stack) ?? [];
  const lines = sourceText(url)?.replace(/\n$/, '').split('\n');
  const at = Number(line) - 1;
  const marked = lines?.[at];
  if (lines === undefined || marked === undefined) return '';
  const first = Math.max(0, at - BEFORE);
  const shown = lines.slice(first, at + AFTER + 1);
  const width = String(first + shown.length).length;
  const text = shown.map((source, index) => {
    const number = first + index;
    const row = `${number === at ? '>' : ' '} ${String(number + 1).padStart(width)} | ${source}`.trimEnd();
    // Tabs stay tabs, so that the mark stands where they lead.
    const indent = source.slice(0, Number(column) - 1).replace(/[^\t]/g, ' ');
    return number === at ? `${row}\n  ${' '.repeat(width)} | ${indent}^` : row;
  });
  return `\n\n${text.join('\n')}\n`;
}
