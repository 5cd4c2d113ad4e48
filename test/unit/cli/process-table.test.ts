import t from 'tap';
import { processTable, selectProcesses } from '../../../cli/process-table.js';

const table =
  'UID          PID    PPID COMMAND\nroot           1       0 init 12\nroot          12       1 sh 1\n';

void t.test('the lines of the processes asked for, by column PID and no other', (t) => {
  t.equal(
    selectProcesses(table, new Set(['12'])),
    'UID          PID    PPID COMMAND\nroot          12       1 sh 1\n',
  );
  t.equal(selectProcesses(table, new Set()), 'UID          PID    PPID COMMAND\n');
  t.throws(() => selectProcesses('COMMAND\ninit\n', new Set(['1'])), {
    code: 'TURF_ERR_USAGE',
    message: /PID field/,
  });
  t.end();
});

void t.test('ps of this machine', async (t) => {
  const shown = await processTable([process.pid], ['-o', 'pid,comm', '-A']);
  t.match(shown, new RegExp(`^ *PID COMMAND\\n *${process.pid} .+\\n$`));
  await t.rejects(processTable([1], ['--no-such-option']), { code: 'TURF_ERR_USAGE', message: /^ps: / });
});
