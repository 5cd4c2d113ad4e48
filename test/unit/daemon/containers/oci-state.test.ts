import t from 'tap';
import { containerState, hookState } from '../../../../daemon/containers/oci-state.js';
import { someContainer } from './some-container.js';

void t.test('the state has a pid while the process lives, and how it ended after', (t) => {
  const container = someContainer({ process: { pid: 7, startTime: '99' } });
  container.enter({ state: 'running' });
  t.strictSame(containerState(container), {
    ociVersion: '1.2.0',
    id: 'c1',
    pid: 7,
    status: 'running',
    bundle: '/bundle',
    rootfs: '/bundle/rootfs',
    created: '2026-01-01T00:00:00.000Z',
    owner: 'root',
    turf: { kind: 'container', state: 'running' },
  });
  container.stop({ exitCode: 137, exitSignal: 'SIGKILL', stoppedAt: 'then' });
  t.match(containerState(container), {
    pid: 0,
    status: 'stopped',
    turf: { state: 'stopped', exitCode: 137, exitSignal: 'SIGKILL', stoppedAt: 'then' },
  });
  container.enter({ state: 'running' });
  t.equal(containerState(container).status, 'stopped', 'nothing comes after stopped');
  t.end();
});

void t.test('annotations, seed and address are there where there are any', (t) => {
  const container = someContainer({ kind: 'worker', annotations: { a: 'b' }, seed: 's', listen: 'unix:/x' });
  t.match(containerState(container), {
    annotations: { a: 'b' },
    turf: { kind: 'worker', seed: 's', listen: 'unix:/x' },
  });
  t.end();
});

void t.test('hooks get the state of the specification, and the place of a pid that is not known yet', (t) => {
  const container = someContainer({ annotations: { quoted: '"pid":"@PID@"' } });
  t.strictSame(JSON.parse(hookState(container, 'creating', 7)), {
    ociVersion: '1.2.0',
    id: 'c1',
    status: 'creating',
    pid: 7,
    bundle: '/bundle',
    annotations: { quoted: '"pid":"@PID@"' },
  });
  const text = hookState(someContainer(), 'created', '@PID@');
  t.match(text, '"pid":@PID@,');
  t.strictSame((JSON.parse(text.replace('@PID@', '9')) as { pid: number }).pid, 9);
  t.end();
});
