import t from 'tap';
import {
  assertAllowed,
  type Lifecycle,
  type LifecycleVerb,
  ociStatus,
  turfState,
} from '../../../../daemon/containers/lifecycle.js';

const STATES: readonly Lifecycle[] = [
  { state: 'creating' },
  { state: 'created' },
  { state: 'running' },
  { state: 'stopped', exit: { stoppedAt: '' } },
];

/** State by state: may it? (runtime-spec, runtime.md "Operations"; runc for delete of a created container) */
const MATRIX: Readonly<Record<LifecycleVerb, readonly boolean[]>> = {
  start: [false, true, false, false],
  kill: [false, true, true, false],
  delete: [false, true, false, true],
  forceDelete: [false, true, true, true],
};

void t.test('every verb in every state', (t) => {
  for (const [verb, allowed] of Object.entries(MATRIX) as [LifecycleVerb, readonly boolean[]][]) {
    STATES.forEach(({ state }, index) => {
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
  t.end();
});

void t.test("the OCI status and original Turf's state", (t) => {
  t.strictSame(STATES.map(ociStatus), ['creating', 'created', 'running', 'stopped']);
  const states = (kind: 'container' | 'seed' | 'worker', parked: boolean): string[] =>
    STATES.map((state) => turfState(state, kind, parked));
  t.strictSame(states('container', false), ['starting', 'init', 'running', 'stopped']);
  t.strictSame(states('seed', false), ['starting', 'init', 'starting', 'stopped']);
  t.strictSame(states('seed', true), ['starting', 'init', 'forkwait', 'stopped']);
  t.strictSame(states('worker', false), ['cloning', 'init', 'running', 'stopped']);
  t.end();
});
