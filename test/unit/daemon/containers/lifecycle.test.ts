import t from 'tap';
import { type CgroupHandle } from '../../../../daemon/cgroups/cgroup.js';
import { restoreDirectories } from '../../../../daemon/cgroups/directories-cgroup.js';
import {
  assertAllowed,
  type Lifecycle,
  type LifecycleVerb,
  observedState,
  type ObservedState,
  turfState,
} from '../../../../daemon/containers/lifecycle.js';
import { type Facts } from '../../../../daemon/containers/facts.js';
import { someContainer } from './some-container.js';

const STATES: readonly Lifecycle[] = [
  { state: 'creating' },
  { state: 'created' },
  { state: 'running' },
  { state: 'stopped', exit: { stoppedAt: '' } },
];

const OBSERVED: readonly ObservedState[] = [...STATES.map(({ state }) => state), 'paused', 'asleep'];

/** State by state: may it? (runtime-spec, runtime.md "Operations"; runc for delete of a created container) */
const MATRIX: Readonly<Record<LifecycleVerb, readonly boolean[]>> = {
  start: [false, true, false, false, false, false],
  kill: [false, true, true, false, true, false],
  delete: [false, true, false, true, false, true],
  forceDelete: [false, true, true, true, true, true],
  pause: [false, true, true, false, false, false],
  resume: [false, false, false, false, true, false],
  exec: [false, true, true, false, false, false],
  execPaused: [false, true, true, false, true, false],
  checkpoint: [false, false, true, false, true, false],
};

void t.test('every verb in every state', (t) => {
  for (const [verb, allowed] of Object.entries(MATRIX) as [LifecycleVerb, readonly boolean[]][]) {
    OBSERVED.forEach((state, index) => {
      const act = (): void => assertAllowed('c1', verb, state);
      if (allowed[index] === true) t.doesNotThrow(act, `${verb} ${state}`);
      else
        t.throws(act, { code: 'TURF_ERR_STATE', message: /c1/, operation: `${verb} c1` }, `${verb} ${state}`);
    });
  }
  t.end();
});

void t.test('refusals say what the state is', (t) => {
  t.throws(() => assertAllowed('c1', 'start', 'running'), { message: /is running/ });
  t.throws(() => assertAllowed('c1', 'start', 'stopped'), { message: /has stopped/ });
  t.throws(() => assertAllowed('c1', 'kill', 'stopped'), { message: 'container not running: c1 is stopped' });
  t.throws(() => assertAllowed('c1', 'delete', 'running'), { message: /not stopped: running/ });
  t.throws(() => assertAllowed('c1', 'delete', 'paused'), { message: /not stopped: paused/ });
  t.throws(() => assertAllowed('c1', 'resume', 'running'), {
    message: 'container not paused: c1 is running',
  });
  t.end();
});

void t.test('a container whose cgroup is frozen is paused, if it lives', (t) => {
  const facts = { manager: 'cgroupfs', mode: 'v1', path: '/c1', hierarchies: [] } as const;
  const cgroup = (frozen: boolean): CgroupHandle => {
    const handle = restoreDirectories({ ...facts, hierarchies: [] });
    return Object.assign(handle, { frozen: () => frozen });
  };
  const observed = (state: 'creating' | 'created' | 'running', frozen: boolean): ObservedState => {
    const container = someContainer();
    container.enter({ state });
    container.ownCgroup(cgroup(frozen));
    return observedState(container);
  };
  t.equal(observed('running', false), 'running');
  t.equal(observed('running', true), 'paused');
  t.equal(observed('created', true), 'paused');
  t.equal(observed('creating', true), 'creating');
  const stopped = someContainer();
  stopped.ownCgroup(cgroup(true));
  stopped.stop({ stoppedAt: '' });
  t.equal(observedState(stopped), 'stopped');
  t.end();
});

void t.test("original Turf's state", (t) => {
  const states = (
    kind: 'container' | 'seed' | 'worker',
    parked: boolean,
    facts: Partial<Facts> = {},
  ): string[] =>
    STATES.map((lifecycle) => {
      const container = someContainer({ kind, ...facts });
      if (parked) container.park();
      if (lifecycle.state === 'stopped') container.stop(lifecycle.exit);
      else container.enter(lifecycle);
      return turfState(container);
    });
  t.strictSame(states('container', false), ['starting', 'init', 'running', 'stopped']);
  t.strictSame(states('seed', false), ['starting', 'init', 'starting', 'stopped']);
  t.strictSame(states('seed', true), ['starting', 'init', 'forkwait', 'stopped']);
  t.strictSame(states('worker', false), ['cloning', 'init', 'running', 'stopped']);
  const life = { onExit: 'sleep', failures: 0 } as const;
  t.strictSame(states('worker', false, { life }), ['cloning', 'init', 'running', 'asleep']);
  t.end();
});
