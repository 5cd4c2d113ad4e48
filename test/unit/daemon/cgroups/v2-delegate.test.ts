import { statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cgroupOwner, delegateV2 } from '../../../../daemon/cgroups/v2-delegate.js';
import type { OciConfig } from '../../../../oci-spec/config.js';

type Namespaces = NonNullable<NonNullable<OciConfig['linux']>['namespaces']>;

const config = (namespaces: Namespaces, uid: number, options: string[]): OciConfig => ({
  ociVersion: '1.0.2',
  process: { args: ['sh'], cwd: '/', user: { uid, gid: 0 } },
  mounts: [{ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options }],
  linux: { namespaces, uidMappings: [{ containerID: 0, hostID: 100_000, size: 10 }] },
});

void t.test('the program owns a cgroup that it may write, as the host counts users', (test) => {
  const both: Namespaces = [{ type: 'user' }, { type: 'cgroup' }];
  test.equal(cgroupOwner(config(both, 3, ['rw'])), 100_003);
  test.equal(cgroupOwner(config(both, 0, [])), 100_000);
  test.equal(cgroupOwner(config(both, 10, ['rw'])), undefined, 'an id that is not mapped');
  test.equal(cgroupOwner(config(both, 0, ['nosuid', 'ro'])), undefined, 'read-only');
  test.equal(cgroupOwner(config([{ type: 'user' }], 0, ['rw'])), undefined, 'no cgroup namespace');
  test.equal(cgroupOwner(config([{ type: 'cgroup' }], 1000, ['rw'])), 1000);
  test.equal(cgroupOwner(config([{ type: 'cgroup' }], 0, ['rw'])), undefined, 'root has it already');
  const joined: Namespaces = [{ type: 'user', path: '/proc/1/ns/user' }, { type: 'cgroup' }];
  test.equal(cgroupOwner(config(joined, 0, ['rw'])), undefined, 'whose ids nobody told us');
  test.end();
});

void t.test(
  'only the delegatee files change hands',
  { skip: process.getuid?.() === 0 ? false : 'chown needs root' },
  (test) => {
    const directory = test.testdir({
      'cgroup.procs': '',
      'memory.max': '',
      list: 'cgroup.procs\nmemory.reclaim\n../x\n',
    });
    delegateV2(directory, 4242, join(directory, 'list'));
    const uid = (file: string): number => statSync(join(directory, file)).uid;
    test.same([uid('.'), uid('cgroup.procs'), uid('memory.max')], [4242, 4242, 0]);
    test.throws(() => delegateV2(join(directory, 'gone'), 1), { code: 'TURF_ERR_CGROUP' });
    test.end();
  },
);
