import t from 'tap';
import { someContainer } from './some-container.js';

const exit = { exitCode: 3, stoppedAt: '2026-01-01T00:00:00.000Z' };

void t.test('whoever waits is told of the end once, and late comers at once', async (t) => {
  const container = someContainer();
  const waiting = container.whenStopped();
  const told: unknown[] = [];
  container.onStopped((end) => told.push(end));
  const forget = container.onStopped(() => t.fail('does not wait any more'));
  forget();
  container.stop(exit);
  container.stop({ ...exit, exitCode: 4 });
  t.strictSame(await waiting, exit);
  t.strictSame(told, [exit]);
  t.strictSame(await container.whenStopped(), exit);
  container.onStopped((end) => told.push(end));
  t.strictSame(told, [exit, exit]);
});

void t.test('waiting ends with its signal, before or during it', async (t) => {
  const container = someContainer();
  const listener = new AbortController();
  const waiting = container.whenStopped(listener.signal);
  listener.abort(new Error('gone'));
  await t.rejects(waiting, { message: 'gone' });
  await t.rejects(container.whenStopped(listener.signal), { message: 'gone' });
  container.stop(exit);
  t.strictSame(await container.whenStopped(new AbortController().signal), exit);
});
