import t from 'tap';
import { outsideMounts, sourceOf } from '../../../../daemon/checkpoint/outside.js';
import type { OciConfig } from '../../../../oci-spec/config.js';
import { MINIMAL, V1 } from '../plan/plan-fixture.js';

const CONFIG: OciConfig = {
  ...MINIMAL,
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/srv/data/', type: 'bind', source: 'data', options: ['rbind'] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup' },
  ],
};

const MOUNTINFO = `106 43 254:0 /b/rootfs / ro - ext4 /dev/vda rw
107 106 0:48 / /proc rw - proc proc rw
108 106 0:49 / /dev rw - tmpfs tmpfs rw
109 107 0:48 /sys /proc/sys ro - proc proc rw
110 107 0:49 /null /proc/keys rw - tmpfs tmpfs rw
111 106 254:0 /host/data /srv/data rw - ext4 /dev/vda rw
112 106 0:53 / /sys/fs/cgroup ro - tmpfs tmpfs rw
113 112 0:28 /c1 /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct
114 106 254:0 /b/rootfs/etc /etc\\040copy rw - ext4 /dev/vda rw
`;

void t.test(
  'binds of the config and parts of hierarchies lie outside; what is mounted whole does not',
  (t) => {
    t.same(outsideMounts(CONFIG, MOUNTINFO), ['/srv/data', '/sys/fs/cgroup/cpu,cpuacct']);
    t.end();
  },
);

void t.test('what takes their place comes from the bundle and from the cgroup of the new container', (t) => {
  const source = (point: string): string => sourceOf(point, CONFIG, '/bundle', V1);
  t.equal(source('/srv/data'), '/bundle/data');
  t.equal(source('/sys/fs/cgroup/cpu,cpuacct'), '/sys/fs/cgroup/cpu,cpuacct/c1');
  for (const gone of ['/other', '/sys/fs/cgroup/pids', '/srv'])
    t.throws(() => source(gone), { code: 'TURF_ERR_CONFIG', path: 'mounts' }, gone);
  t.end();
});
