import t from 'tap';

import { validateConfig } from '../../../oci-spec/parse.js';
import { refuseUnsupported, unsupportedIssues } from '../../../oci-spec/unsupported.js';
import { CONTAINER, type Json, patched } from './example-configs.js';

const none = { apparmor: false, selinux: false };
const mount = { destination: '/a', type: 'tmpfs' };

const REFUSED: readonly (readonly [patch: Json, ...messages: string[]])[] = [
  [
    { process: { apparmorProfile: 'x' } },
    'process.apparmorProfile: needs AppArmor, which is not enabled on this machine',
  ],
  [
    { process: { selinuxLabel: 'x' } },
    'process.selinuxLabel: needs SELinux, which is not enabled on this machine',
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
      process: { apparmorProfile: '', selinuxLabel: '', execCPUAffinity: { initial: '0' } },
      linux: { mountLabel: '', netDevices: {}, timeOffsets: {} },
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
