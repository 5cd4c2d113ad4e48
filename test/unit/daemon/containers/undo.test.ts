import t from 'tap';
import { UndoStack } from '../../../../daemon/containers/undo.js';

void t.test(
  'steps run in reverse order, each waited for; a failing one stops no other and is named',
  async (t) => {
    const undo = new UndoStack();
    const log: string[] = [];
    const cause = new Error('busy');
    undo.push('first', () => void log.push('first'));
    undo.push('second', () => Promise.reject(cause));
    undo.push('third', async () => {
      await Promise.resolve();
      log.push('third');
    });
    const errors = await undo.unwind();
    t.strictSame(log, ['third', 'first']);
    t.match(errors, [{ message: 'undo second', cause }]);
    t.strictSame(await undo.unwind(), [], 'once only');
  },
);

void t.test('nothing is undone after clear', async (t) => {
  const undo = new UndoStack();
  undo.push('step', () => {
    t.fail();
  });
  undo.clear();
  t.strictSame(await undo.unwind(), []);
});
