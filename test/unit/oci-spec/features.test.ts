import t from 'tap';

import { featuresDocument } from '../../../oci-spec/features.js';
import { unsupportedIssues } from '../../../oci-spec/unsupported.js';
import { validateConfig } from '../../../oci-spec/parse.js';
import { CONTAINER, patched } from './example-configs.js';

const document = featuresDocument({
  version: '0.1.0',
  seccomp: { enabled: true, libraryVersion: '2.5.4', supportedFlags: ['SECCOMP_FILTER_FLAG_LOG'] },
  apparmor: true,
  selinux: false,
  systemdCgroup: true,
  systemdUserCgroup: false,
  rdmaCgroup: false,
});

void t.test('the document has the members of the specification', (t) => {
  t.match(document, {
    ociVersionMin: '1.0.0',
    ociVersionMax: /^1\./,
    hooks: ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'],
    linux: {
      namespaces: ['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'user', 'uts'],
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: false, rdma: false },
      seccomp: { enabled: true, supportedFlags: ['SECCOMP_FILTER_FLAG_LOG'] },
      apparmor: { enabled: true },
      selinux: { enabled: false },
      intelRdt: { enabled: true, schemata: true, monitoring: true },
      memoryPolicy: { modes: ['MPOL_DEFAULT', /./, /./, /./, /./, /./, /./], flags: [/./, /./, /./] },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: true },
    },
    annotations: { 'io.github.seccomp.libseccomp.version': '2.5.4' },
    potentiallyUnsafeConfigAnnotations: ['dev.turf.'],
  });
  t.end();
});

void t.test('what is advertised is not refused', (t) => {
  const { mountOptions } = document;
  if (!Array.isArray(mountOptions)) throw new Error('mountOptions is no list');
  t.ok(mountOptions.includes('rro'));
  t.ok(mountOptions.includes('ridmap'));
  const mappings = [{ containerID: 0, hostID: 1, size: 1 }];
  const mapped = { uidMappings: mappings, gidMappings: mappings };
  const config = validateConfig(
    patched(CONTAINER, {
      linux: { namespaces: [{ type: 'mount' }, { type: 'user' }], ...mapped },
      mounts: [{ destination: '/a', source: '/b', options: mountOptions }],
    }),
  );
  t.strictSame(unsupportedIssues(config, { apparmor: false, selinux: false }), []);
  t.end();
});
