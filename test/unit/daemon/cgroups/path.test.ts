import t from 'tap';
import { cgroupfsLocation, slicePath, systemdLocation } from '../../../../daemon/cgroups/path.js';

void t.test('cgroupfs: absolute as it is, relative and absent below /turf', (test) => {
  const path = (cgroupsPath?: string): unknown => cgroupfsLocation('c1', cgroupsPath);
  test.same(path(), { manager: 'cgroupfs', path: '/turf/c1' });
  test.same(path(''), { manager: 'cgroupfs', path: '/turf/c1' });
  test.same(path('/kubepods/pod1/c1'), { manager: 'cgroupfs', path: '/kubepods/pod1/c1' });
  test.same(path('a//./b/'), { manager: 'cgroupfs', path: '/turf/a/b' });
  test.end();
});

void t.test('cgroupfs: what is refused', (test) => {
  for (const bad of ['../x', '/a/../b', '/', '.', 'a\nb', 'a\0b', 'system.slice:turf:c1']) {
    test.throws(
      () => cgroupfsLocation('c1', bad),
      { code: 'TURF_ERR_CONFIG', path: 'linux.cgroupsPath' },
      bad,
    );
  }
  test.end();
});

void t.test('systemd: slice, prefix and name', (test) => {
  const location = (cgroupsPath?: string): unknown => systemdLocation('c1', cgroupsPath);
  test.same(location(), { manager: 'systemd', slice: 'system.slice', unit: 'turf-c1.scope' });
  test.same(location('user.slice:libpod:c1'), {
    manager: 'systemd',
    slice: 'user.slice',
    unit: 'libpod-c1.scope',
  });
  test.same(location(':cri:c1'), { manager: 'systemd', slice: 'system.slice', unit: 'cri-c1.scope' });
  test.same(location('a.slice::b.slice'), { manager: 'systemd', slice: 'a.slice', unit: 'b.slice' });
  for (const bad of [
    '/a/b',
    'a.slice:b',
    'a.slice:b:c:d',
    'a.slice:b:',
    'a:b:c',
    'a.slice:../b:c',
    'a.slice:b:c d',
  ]) {
    test.throws(
      () => systemdLocation('c1', bad),
      { code: 'TURF_ERR_CONFIG', path: 'linux.cgroupsPath' },
      bad,
    );
  }
  test.end();
});

void t.test('a slice lies in the slices that its name names', (test) => {
  test.equal(slicePath('-.slice'), '');
  test.equal(slicePath('a.slice'), '/a.slice');
  test.equal(slicePath('a-b-c.slice'), '/a.slice/a-b.slice/a-b-c.slice');
  test.throws(() => slicePath('a--b.slice'), { code: 'TURF_ERR_CONFIG' });
  test.end();
});
