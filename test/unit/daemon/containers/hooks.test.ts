import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Hook, runHooks } from '../../../../daemon/containers/hooks.js';

const shell = (script: string, more: Partial<Hook> = {}): Hook => ({
  path: '/bin/sh',
  args: ['sh', '-c', script],
  env: ['PATH=/usr/bin:/bin'],
  ...more,
});

const run = (directory: string, ...hooks: Hook[]): Promise<void> =>
  runHooks('prestart', hooks, '{"id":"c1"}', directory);

/** Resolves when a process has ended: no event tells of somebody else's child. */
async function gone(pid: number): Promise<void> {
  while (lives(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
}

const lives = (pid: number): boolean => {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
};

void t.test(
  'hooks run in order, in the bundle, with their own environment and the state on stdin',
  async (t) => {
    const dir = t.testdir();
    await run(
      dir,
      shell('cat >state; env >env; echo 1 >>order', { env: ['A=1=2', 'PATH=/bin'] }),
      shell('echo 2 >>order'),
    );
    t.equal(readFileSync(join(dir, 'state'), 'utf8'), '{"id":"c1"}');
    t.equal(readFileSync(join(dir, 'order'), 'utf8'), '1\n2\n');
    const env = readFileSync(join(dir, 'env'), 'utf8');
    t.match(env, /^A=1=2$/m);
    t.notMatch(env, /^HOME=/m, "nothing of the daemon's");
  },
);

void t.test('args[0] is the name, an absent list the path itself', async (t) => {
  const dir = t.testdir();
  writeFileSync(join(dir, 'hook'), '#!/bin/sh\necho "$0" >name\n', { mode: 0o755 });
  await run(dir, { path: join(dir, 'hook') });
  t.equal(readFileSync(join(dir, 'name'), 'utf8'), `${join(dir, 'hook')}\n`);
  await runHooks('prestart', undefined, '', dir);
});

void t.test('a timeout longer than any timer is one that does not come', async (t) => {
  const dir = t.testdir();
  await run(dir, shell('sleep 0.05; touch done', { timeout: 0x7fff_ffff }));
  t.ok(existsSync(join(dir, 'done')));
});

void t.test('the first failure ends it, with the field, the status and what was said', async (t) => {
  const dir = t.testdir();
  await t.rejects(run(dir, shell('true'), shell('echo oops >&2; exit 3'), shell('touch never')), {
    code: 'TURF_ERR_HOOK',
    path: 'hooks.prestart[1]',
    message: 'hooks.prestart[1]: /bin/sh: exit status 3, stderr: oops',
  });
  t.notOk(existsSync(join(dir, 'never')));
  await t.rejects(run(dir, shell('kill -9 $$')), { message: /killed by SIGKILL$/ });
  await t.rejects(run(dir, { path: '/no/such/hook' }), { code: 'TURF_ERR_HOOK', message: /ENOENT/ });
  await t.rejects(run(dir, { path: dir }), { code: 'TURF_ERR_HOOK', message: /EACCES/ });
});

void t.test('a flood on stderr is cut, and does not block the hook', async (t) => {
  const error = (await run(t.testdir(), shell('yes turf | head -c 4000000 >&2; exit 1')).catch(
    (reason: unknown) => reason,
  )) as Error;
  t.match(error.message, /stderr: turf/);
  t.ok(error.message.length < 2200);
});

void t.test('a hook that does not read its stdin is none the worse for it', async (t) => {
  await runHooks('prestart', [shell('true')], 'x'.repeat(1 << 20), t.testdir());
});

void t.test('a hook may leave a process behind that holds its stderr', async (t) => {
  const dir = t.testdir();
  await run(dir, shell('sleep 1000 & echo $! >pid'));
  const pid = Number(readFileSync(join(dir, 'pid'), 'utf8'));
  t.ok(lives(pid));
  await t.rejects(run(dir, shell('sleep 1000 & echo $! >second; exit 2')), { message: /exit status 2/ });
  for (const left of [pid, Number(readFileSync(join(dir, 'second'), 'utf8'))]) process.kill(left, 'SIGKILL');
});

void t.test('a hook that is out of time is killed with its children', async (t) => {
  const dir = t.testdir();
  await t.rejects(run(dir, shell('sleep 1000 & echo $! >pid; wait', { timeout: 1 })), {
    code: 'TURF_ERR_HOOK',
    message: /timed out after 1 s$/,
  });
  await gone(Number(readFileSync(join(dir, 'pid'), 'utf8')));
  t.pass();
});

void t.test('no hook goes on once its container has ended', async (t) => {
  const dir = t.testdir();
  const ended = new AbortController();
  const hooks = [shell('echo $$ >pid; mv pid ready; sleep 1000'), shell('touch never')];
  const running = runHooks('prestart', hooks, '', dir, ended.signal);
  while (!existsSync(join(dir, 'ready'))) await new Promise((resolve) => setTimeout(resolve, 5));
  ended.abort();
  await t.rejects(running, { code: 'TURF_ERR_HOOK', message: /the container ended while it ran/ });
  await gone(Number(readFileSync(join(dir, 'ready'), 'utf8')));
  await t.rejects(runHooks('prestart', hooks, '', dir, ended.signal), { message: /has ended/ });
  t.notOk(existsSync(join(dir, 'never')));
});
