import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';

const LIBRARY = new URL('../../../native/libturf-confine.so', import.meta.url).pathname;
const PROGRAM = `
process.dlopen({ exports: {} }, ${JSON.stringify(LIBRARY)});
const fs = require('fs');
for (const task of fs.readdirSync('/proc/self/task'))
  console.log(/^Seccomp:\\s*(\\d)/m.exec(fs.readFileSync('/proc/self/task/' + task + '/status', 'utf8'))[1]);
`;
/** BPF_RET | BPF_K with SECCOMP_RET_ALLOW: struct sock_filter, linux/filter.h */
const ALLOW_ALL = Buffer.from([0x06, 0, 0, 0, 0, 0, 0xff, 0x7f]);

function confined(
  t: Test,
  filter: Buffer | undefined,
): { status: number | null; stdout: string; stderr: string } {
  const dir = mkdtempSync(join(tmpdir(), 'turf-confine-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'filter');
  if (filter !== undefined) writeFileSync(file, filter);
  const fd = filter === undefined ? undefined : openSync(file, 'r');
  // The process needs no_new_privs to take a filter where it is not root; here it is.
  const stdio = ['ignore', 'pipe', 'pipe', 'ignore', 'ignore', ...(fd === undefined ? [] : [fd])] as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', PROGRAM], {
    stdio: [...stdio],
    encoding: 'utf8',
  });
  if (fd !== undefined) closeSync(fd);
  return { status, stdout, stderr };
}

const root = { skip: process.geteuid?.() === 0 ? false : 'needs root' } as const;

await t.test('the filter reaches every thread', root, (t) => {
  const { status, stdout, stderr } = confined(t, ALLOW_ALL);
  t.equal(status, 0, stderr);
  t.match(stdout, /^(2\n){2,}$/);
  t.end();
});

await t.test('without a filter, or with what is none, nothing runs on', root, (t) => {
  for (const filter of [undefined, Buffer.alloc(0), Buffer.alloc(12), Buffer.alloc(16)]) {
    const { status, stdout, stderr } = confined(t, filter);
    t.equal(status, 1, 'it ends');
    t.equal(stdout, '', 'before its next statement');
    t.match(stderr, /filter could not be installed/);
  }
  t.end();
});
