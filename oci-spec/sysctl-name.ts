/**
 * The path below /proc/sys of a sysctl name, in the reading of sysctl(8): where a slash is the first separator, slashes separate and
 * dots are part of the names; else dots separate and slashes stand for dots (`net.ipv4.conf.eth0/100.forwarding`).
 *
 * @returns the path with slashes, or undefined where the name has an empty, `.` or `..` part.
 */
export function sysctlPath(name: string): string | undefined {
  const first = /[./]/.exec(name)?.[0];
  const path = first === '/' ? name : name.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
  const parts = path.split('/');
  return parts.every((part) => part !== '' && part !== '.' && part !== '..') ? path : undefined;
}
