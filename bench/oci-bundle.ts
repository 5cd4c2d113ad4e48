import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Makes a bundle of one static busybox with the config that `runc spec` writes, but without a terminal.
 * @throws Error when there is no busybox
 */
export function ociBundle(path: string, busybox: string, args: readonly string[]): void {
  for (const directory of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp'])
    mkdirSync(join(path, 'rootfs', directory), { recursive: true });
  copyFileSync(busybox, join(path, 'rootfs/bin/busybox'));
  for (const applet of ['sh', 'sleep', 'true', 'echo', 'hostname'])
    symlinkSync('busybox', join(path, 'rootfs/bin', applet));
  writeFileSync(join(path, 'config.json'), JSON.stringify(config(args), undefined, 2));
}

function config(args: readonly string[]): object {
  const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];
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
        bounding: capabilities,
        effective: capabilities,
        permitted: capabilities,
        ambient: capabilities,
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
    },
  };
}

function mount(destination: string, type: string, source: string, options?: readonly string[]): object {
  return { destination, type, source, ...(options === undefined ? {} : { options }) };
}
