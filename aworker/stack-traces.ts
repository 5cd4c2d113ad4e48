import { fileURLToPath } from 'node:url';
import { formatStacks } from './engine-internals.js';

/** The checkout, or the folder that holds the runtime in a seed's root: above dist/. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ROOT_URL = new URL('../../', import.meta.url).href;
/** User code may lie beside them (examples), never below. */
const RUNTIME_FOLDERS = ['dist/aworker/', 'dist/native-shim/', 'node_modules/'];

function isRuntimeFile(file: string): boolean {
  return (
    file.startsWith('node:') ||
    RUNTIME_FOLDERS.some((folder) => file.startsWith(ROOT_URL + folder) || file.startsWith(ROOT + folder))
  );
}

/** Frames of user code and of the language; those of Node.js and the runtime are nobody's business. */
function isShown(frame: NodeJS.CallSite): boolean {
  const file = frame.getFileName() ?? frame.getScriptNameOrSourceURL();
  return typeof file !== 'string' || !isRuntimeFile(file);
}

/** As V8 writes the first line: a toString that throws must not take the error's place. */
function headline(error: unknown): string {
  try {
    return Reflect.apply(Error.prototype.toString, error, []);
  } catch {
    return 'Error';
  }
}

/** Stacks have no frames of Node.js and the runtime from now on. */
export function installStackTraces(): void {
  formatStacks((error, frames) => {
    const shown = frames.filter(isShown);
    return headline(error) + shown.map((frame: unknown) => `\n    at ${String(frame)}`).join('');
  });
}
