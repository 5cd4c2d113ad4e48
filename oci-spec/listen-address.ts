export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** sizeof(sun_path) of unix(7) less the final NUL. */
const MAX_UNIX_PATH = 107;

/**
 * Reads `unix:PATH` (absolute) or `tcp:HOST:PORT` (IPv6 hosts in brackets; port 0: any).
 *
 * @returns undefined where the text is neither.
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    const fits = path.startsWith('/') && Buffer.byteLength(path) <= MAX_UNIX_PATH && !path.includes('\0');
    return fits ? { kind: 'unix', path } : undefined;
  }
  const match = /^tcp:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port > 65_535) return undefined;
  return { kind: 'tcp', host: match[1].replace(/^\[|\]$/g, ''), port };
}
