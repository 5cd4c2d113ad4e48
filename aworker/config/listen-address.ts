/**
 * Options for net.Server.listen from `unix:PATH` or `tcp:HOST:PORT` (an IPv6 host in brackets).
 *
 * @throws TypeError for anything else
 */
export function listenOptions(address: string): { path: string } | { host: string; port: number } {
  if (address.startsWith('unix:') && address.length > 5) return { path: address.slice(5) };
  const match = /^tcp:(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65535) {
    throw new TypeError(`"${address}" is no address: write unix:PATH or tcp:HOST:PORT`);
  }
  return { host, port };
}
