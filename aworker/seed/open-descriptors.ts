import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import process from 'node:process';

/** What Node's event loops need for themselves, and renew in a clone. */
const HARMLESS = new Set(['anon_inode:[eventpoll]', 'anon_inode:[eventfd]', 'anon_inode:[io_uring]']);

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Number → what it refers to, as /proc/self/fd says it. */
export function openDescriptors(): Map<number, string> {
  const open = new Map<number, string>();
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      open.set(Number(name), readlinkSync(`/proc/self/fd/${name}`));
    } catch {
      // The one that the directory was read through has gone.
    }
  }
  return open;
}

/** `0100007F:1F90` of /proc/net/tcp: IPv4 in host order; of IPv6 only what stands for IPv4 is written as such. */
function address(hex: string): string {
  const [ip = '', port = ''] = hex.split(':');
  const v4 = ip.slice(-8);
  const bytes = [6, 4, 2, 0].map((at) => parseInt(v4.slice(at, at + 2), 16)).join('.');
  return `${ip.length === 8 || /^0{16}FFFF0000/.test(ip) ? bytes : `[${ip}]`}:${parseInt(port, 16)}`;
}

function socketText(inode: string): string {
  for (const protocol of ['tcp', 'tcp6', 'udp', 'udp6']) {
    for (const line of read(`/proc/self/net/${protocol}`).split('\n')) {
      const fields = line.trim().split(/\s+/);
      const [, local = '', remote = ''] = fields;
      if (fields[9] !== inode) continue;
      const listens = /:0000$/.test(remote);
      return `a ${protocol.slice(0, 3)} socket ${listens ? `on ${address(local)}` : `to ${address(remote)}`}`;
    }
  }
  for (const line of read('/proc/self/net/unix').split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields[6] === inode) return `a unix socket ${fields[7] ?? ''}`.trimEnd();
  }
  return 'a socket';
}

/** `descriptor 19 is a tcp socket to 127.0.0.1:8080`. @param link as /proc/self/fd says it */
export function describeDescriptor(fd: number, link: string): string {
  const [, kind, inode = ''] = /^(\w+):\[(.*)\]$/.exec(link) ?? [];
  const what =
    kind === 'socket'
      ? socketText(inode)
      : kind === 'pipe'
        ? 'a pipe'
        : link.startsWith('/')
          ? `the file ${link}`
          : link;
  return `descriptor ${fd} is ${what}`;
}

/** What has been opened since `before`, in words. */
export function openedSince(before: ReadonlyMap<number, string>): string[] {
  return [...openDescriptors()]
    .filter(([fd, link]) => fd > 2 && before.get(fd) !== link && !HARMLESS.has(link))
    .map(([fd, link]) => describeDescriptor(fd, link));
}

/** Children of this process, in words. Not every kernel lists them in /proc/PID/task/TID/children. */
export function childProcesses(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      // Behind the name in parentheses: state, then the parent (proc_pid_stat(5)).
      const [, name = '', parent = ''] = /^\d+ \((.*)\) \S (\d+) /s.exec(read(`/proc/${pid}/stat`)) ?? [];
      return parent === String(process.pid) ? [`process ${pid} (${name}) is a child`] : [];
    });
}
