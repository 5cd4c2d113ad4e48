import t from 'tap';

import { validateConfig } from '../../../oci-spec/parse.js';
import { refuseUnsupported, unsupportedIssues } from '../../../oci-spec/unsupported.js';
import { CONTAINER, type Json, patched } from './example-configs.js';

const none = { apparmor: false, selinux: false };
const mapping = { containerID: 0, hostID: 0, size: 1 };
const mount = { destination: '/a', type: 'tmpfs' };
const time = [{ type: 'mount' }, { type: 'time' }];

const REFUSED: readonly (readonly [patch: Json, ...messages: string[]])[] = [
  [{ process: { scheduler: { policy: 'SCHED_IDLE' } } }, 'process.scheduler: is not supported yet'],
  [
    { process: { ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 1 } } },
    'process.ioPriority: is not supported yet',
  ],
  [{ process: { execCPUAffinity: { initial: '0' } } }, 'process.execCPUAffinity: is not supported yet'],
  [
    { process: { apparmorProfile: 'x' } },
    'process.apparmorProfile: needs AppArmor, which is not enabled on this machine',
  ],
  [
    { process: { selinuxLabel: 'x' } },
    'process.selinuxLabel: needs SELinux, which is not enabled on this machine',
  ],
  [{ linux: { intelRdt: { closID: 'x' } } }, 'linux.intelRdt: is not supported yet'],
  [{ linux: { memoryPolicy: { mode: 'MPOL_LOCAL' } } }, 'linux.memoryPolicy: is not supported yet'],
  [{ linux: { netDevices: { eth0: {} } } }, 'linux.netDevices: is not supported yet'],
  [
    { linux: { namespaces: time, timeOffsets: { boottime: { secs: 1 } } } },
    'linux.timeOffsets: is not supported yet',
  ],
  [
    {
      linux: {
        seccomp: {
          defaultAction: 'SCMP_ACT_ALLOW',
          listenerPath: '/s',
          syscalls: [{ names: ['read'], action: 'SCMP_ACT_NOTIFY' }],
        },
      },
    },
    'linux.seccomp.listenerPath: is not supported yet',
    'linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY is not supported yet',
  ],
  [
    { mounts: [{ ...mount, uidMappings: [mapping], gidMappings: [mapping], options: ['ro', 'ridmap'] }] },
    'mounts[0].uidMappings: is not supported yet',
    'mounts[0].gidMappings: is not supported yet',
    'mounts[0].options[1]: "ridmap" is not supported yet',
  ],
  [{ vm: { kernel: {} } }, 'vm: is for virtual machines'],
  [{ windows: { layerFolders: [] } }, 'windows: is for Windows'],
  [{ solaris: { milestone: 'x' } }, 'solaris: is for Solaris'],
  [{ zos: { a: 1 } }, 'zos: is for z/OS'],
];

for (const [patch, ...messages] of REFUSED) {
  void t.test(`refused by name: ${messages.join('; ')}`, (t) => {
    const config = validateConfig(patched(CONTAINER, patch));
    t.throws(() => refuseUnsupported(config, none), {
      name: 'ConfigError',
      code: 'TURF_ERR_UNSUPPORTED',
      message: messages.join('\n'),
    });
    t.end();
  });
}

void t.test('empty values are no requests', (t) => {
  const config = validateConfig(
    patched(CONTAINER, {
      process: { apparmorProfile: '', selinuxLabel: '', execCPUAffinity: {} },
      linux: { mountLabel: '', intelRdt: {}, netDevices: {}, timeOffsets: {} },
      mounts: [{ ...mount, uidMappings: [], gidMappings: [] }],
      windows: {},
    }),
  );
  t.strictSame(unsupportedIssues(config, none), []);
  t.end();
});

void t.test('labels are for the module that the machine has', (t) => {
  const config = validateConfig(
    patched(CONTAINER, {
      process: { apparmorProfile: 'x', selinuxLabel: 'y' },
      linux: { mountLabel: 'z' },
    }),
  );
  t.strictSame(unsupportedIssues(config, { apparmor: true, selinux: true }), []);
  const unconfined = validateConfig(patched(CONTAINER, { process: { apparmorProfile: 'unconfined' } }));
  t.strictSame(unsupportedIssues(unconfined, none), []);
  t.end();
});
