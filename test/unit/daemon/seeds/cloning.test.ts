import t from 'tap';
import { type CgroupHandle } from '../../../../daemon/cgroups/cgroup.js';
import { type Container } from '../../../../daemon/containers/container.js';
import { checkPlace } from '../../../../daemon/seeds/cloning.js';
import { someContainer } from '../containers/some-container.js';

/** A cgroup that no process is in. */
const EMPTY = {
  describe: () => ({
    manager: 'cgroupfs',
    mode: 'v2',
    path: '/turf/nobody-is-here',
    hierarchies: [],
    unified: { controllers: [], directory: '/sys/fs/cgroup/turf/nobody-is-here', made: true },
  }),
} as unknown as CgroupHandle;

function clone(): Container {
  const container = someContainer({ process: { pid: process.pid, startTime: '1' } });
  container.ownCgroup(EMPTY);
  return container;
}

await t.test('a clone that lives outside of its cgroup is refused', async (t) => {
  const container = clone();
  const exits = { refresh: () => Promise.resolve() };
  await t.rejects(checkPlace(exits, container, 'worker'), {
    code: 'TURF_ERR_SEED',
    message: `process ${process.pid} did not enter the cgroup of its worker`,
  });
});

await t.test('one that has ended since is told by its end, not by where it is', async (t) => {
  const container = clone();
  const exits = {
    refresh: (ended: Container) => {
      ended.stop({ exitCode: 1, stoppedAt: '2026-01-01T00:00:00.000Z' });
      return Promise.resolve();
    },
  };
  await t.resolves(checkPlace(exits, container, 'seed'));
});
