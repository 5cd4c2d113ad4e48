/** Longest id; it becomes a directory name, of which file systems take 255 bytes, but runc's limit is what engines know. */
export const MAX_ID_LENGTH = 1024;

/**
 * What is wrong with a container id, or undefined. The characters are runc's (`A-Z a-z 0-9 _ + - .`); a leading dot is refused beyond
 * that, so that no id is `.`, `..` or hidden in the state directory.
 */
export function containerIdProblem(id: string): string | undefined {
  if (id === '') return 'must not be empty';
  if (id.length > MAX_ID_LENGTH) return `must be at most ${MAX_ID_LENGTH} characters, got ${id.length}`;
  if (!/^[A-Za-z0-9_+.-]+$/.test(id))
    return `must be made of letters, digits, "_", "+", "-" and ".", got ${JSON.stringify(id.slice(0, 80))}`;
  if (id.startsWith('.')) return `must not start with a dot, got ${JSON.stringify(id.slice(0, 80))}`;
  return undefined;
}

export function isContainerId(id: string): boolean {
  return containerIdProblem(id) === undefined;
}
