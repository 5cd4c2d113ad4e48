import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './peers.js';

/**
 * Makes a bundle of one static busybox with the config that `runc spec` writes, but without a terminal.
 *
 * @param path a directory that does not exist
 * @param seccomp member of that name of `linux`; absent: none
 * @returns path
 * @throws Error when there is no busybox
 */
export function ociBundle(path: string, args: readonly string[], seccomp?: object): string {
  const busybox = findProgram('busybox');
  if (busybox === undefined) throw new Error('busybox is not installed (Debian: busybox-static)');
  for (const directory of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp'])
    mkdirSync(join(path, 'rootfs', directory), { recursive: true });
  copyFileSync(busybox, join(path, 'rootfs/bin/busybox'));
  for (const applet of ['sh', 'sleep', 'true', 'echo', 'hostname'])
    symlinkSync('busybox', join(path, 'rootfs/bin', applet));
  writeFileSync(join(path, 'config.json'), JSON.stringify(config(args, seccomp), undefined, 2));
  return path;
}

/** What `runc spec` gives. */
export const CAPABILITIES = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];

function config(args: readonly string[], seccomp: object | undefined): object {
  const kernel = ['nosuid', 'noexec', 'nodev'];
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args,
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: {
        bounding: CAPABILITIES,
        effective: CAPABILITIES,
        permitted: CAPABILITIES,
        ambient: CAPABILITIES,
      },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'bundle',
    mounts: [
      mount('/proc', 'proc', 'proc'),
      mount('/dev', 'tmpfs', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
      mount('/dev/pts', 'devpts', 'devpts', [
        'nosuid',
        'noexec',
        'newinstance',
        'ptmxmode=0666',
        'mode=0620',
        'gid=5',
      ]),
      mount('/dev/shm', 'tmpfs', 'shm', [...kernel, 'mode=1777', 'size=65536k']),
      mount('/dev/mqueue', 'mqueue', 'mqueue', kernel),
      mount('/sys', 'sysfs', 'sysfs', [...kernel, 'ro']),
      mount('/sys/fs/cgroup', 'cgroup', 'cgroup', [...kernel, 'relatime', 'ro']),
    ],
    linux: {
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
      maskedPaths: [
        ...[
          'acpi',
          'asound',
          'kcore',
          'keys',
          'latency_stats',
          'timer_list',
          'timer_stats',
          'sched_debug',
        ].map((name) => `/proc/${name}`),
        '/sys/firmware',
        '/proc/scsi',
      ],
      readonlyPaths: ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((name) => `/proc/${name}`),
      ...(seccomp === undefined ? {} : { seccomp }),
    },
  };
}

function mount(destination: string, type: string, source: string, options?: readonly string[]): object {
  return { destination, type, source, ...(options === undefined ? {} : { options }) };
}
