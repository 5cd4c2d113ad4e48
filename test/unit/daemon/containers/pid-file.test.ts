import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writePidFile } from '../../../../daemon/containers/pid-file.js';

void t.test('a pid file is written whole, in place of what was there, and leaves nothing beside it', (t) => {
  const dir = t.testdir({ 'c1.pid': '123456' });
  writePidFile(join(dir, 'c1.pid'), 42);
  t.equal(readFileSync(join(dir, 'c1.pid'), 'utf8'), '42');
  t.strictSame(readdirSync(dir), ['c1.pid']);
  t.throws(() => writePidFile(join(dir, 'missing/c1.pid'), 42), {
    code: 'TURF_ERR_USAGE',
    path: 'pidFile',
    message: /^pid file: ENOENT/,
  });
  t.end();
});

void t.test('a link under the temporary name is not written through', (t) => {
  const dir = t.testdir({ shared: {} });
  const victim = join(dir, 'victim');
  writeFileSync(victim, 'precious');
  symlinkSync(victim, join(dir, 'shared/.c1.pid.new'));
  writePidFile(join(dir, 'shared/c1.pid'), 42);
  t.equal(readFileSync(victim, 'utf8'), 'precious');
  t.equal(readFileSync(join(dir, 'shared/c1.pid'), 'utf8'), '42');
  t.end();
});
