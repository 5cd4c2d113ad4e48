import t from 'tap';
import { type CgroupFacts } from '../../../../daemon/cgroups/facts.js';
import { isMember } from '../../../../daemon/cgroups/membership.js';

const at = (controllers: string[]): CgroupFacts['hierarchies'][number] => ({
  controllers,
  directory: '/sys/fs/cgroup/x/turf/w',
  made: true,
});

const V1: CgroupFacts = {
  manager: 'cgroupfs',
  mode: 'hybrid',
  path: '/turf/w',
  hierarchies: [at(['memory']), at(['cpu', 'cpuacct'])],
};
const V2: CgroupFacts = { ...V1, mode: 'v2', hierarchies: [], unified: at([]) };

const IN = '7:memory:/turf/w\n4:cpu,cpuacct:/turf/w\n3:pids:/elsewhere\n0::/\n';

await t.test('in all hierarchies of the cgroup, and no matter where in the others', (t) => {
  t.ok(isMember(1, V1, IN));
  t.ok(isMember(1, V2, '0::/turf/w\n'));
  t.ok(isMember(1, V2, '0::/docker/4711/turf/w\n'), 'seen from above the mount');
  t.end();
});

await t.test('out of one is out', (t) => {
  t.notOk(isMember(1, V1, IN.replace('7:memory:/turf/w', '7:memory:/turf/seed')));
  t.notOk(isMember(1, V1, IN.replace('4:cpu,cpuacct:/turf/w', '4:cpu,cpuacct:/')));
  t.notOk(isMember(1, V1, '0::/turf/w\n'), 'a hierarchy that it does not show');
  t.notOk(isMember(1, V2, '0::/turf/w/below/it\n'));
  t.notOk(isMember(1, V2, ''));
  t.notOk(isMember(4_194_305, V2), 'a process that does not exist');
  t.end();
});

await t.test('of this process', (t) => {
  t.notOk(isMember(process.pid, { ...V2, path: '/turf/nobody-is-here' }));
  t.end();
});
