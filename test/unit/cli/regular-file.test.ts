import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { readRegularFile, readRegularFileSync } from '../../../cli/regular-file.js';

void t.test('a regular file of at most so many bytes, and nothing else', async (t) => {
  const dir = t.testdir({ file: '12345', link: t.fixture('symlink', 'file') });
  const at = (name: string): string => join(dir, name);
  execFileSync('mkfifo', [at('fifo')]);
  for (const name of ['file', 'link']) {
    t.equal((await readRegularFile(at(name), 5)).toString(), '12345');
    t.equal(readRegularFileSync(at(name), 5), '12345');
  }
  for (const [path, largest, message] of [
    [at('file'), 4, `${at('file')}: larger than 4 bytes`],
    [at('fifo'), 5, `${at('fifo')}: not a regular file`],
    [dir, 5, `${dir}: not a regular file`],
    ['/dev/zero', 5, '/dev/zero: not a regular file'],
    [at('missing'), 5, /^ENOENT: .*missing/],
  ] as const) {
    await t.rejects(readRegularFile(path, largest), { message });
    t.throws(() => readRegularFileSync(path, largest), { message });
  }
});
