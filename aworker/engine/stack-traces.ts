import { fileURLToPath } from 'node:url';
import { formatStacks } from './engine-internals.js';

/** User code may lie beside them (examples), never below. */
const RUNTIME_FOLDERS = ['dist/aworker/', 'dist/native-shim/', 'node_modules/'];

/** Above dist/ is the checkout, or the folder that holds the runtime in a seed's root. */
function runtimeFolders(): string[] {
  const root = new URL('../../../', import.meta.url);
  return RUNTIME_FOLDERS.flatMap((folder) => [root.href + folder, fileURLToPath(root) + folder]);
}

/** What comes from a startup snapshot goes by where that was built. */
const WHERE_BUILT = runtimeFolders();

/** Frames of user code and of the language; those of Node.js and the runtime are nobody's business. */
function isShown(frame: NodeJS.CallSite, hidden: readonly string[]): boolean {
  const file = frame.getFileName() ?? frame.getScriptNameOrSourceURL();
  return typeof file !== 'string' || !hidden.some((start) => file.startsWith(start));
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
  const hidden = ['node:', ...WHERE_BUILT, ...runtimeFolders()];
  formatStacks((error, frames) => {
    const shown = frames.filter((frame) => isShown(frame, hidden));
    return headline(error) + shown.map((frame: unknown) => `\n    at ${String(frame)}`).join('');
  });
}
