import t from 'tap';
import { bundle, script } from './harness/bundle.js';
import { requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';
import { isAlive } from './harness/processes.js';
import { eventually } from './harness/turfd.js';

await t.test('exec over REST', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  const id = turfd.id('rest');
  await turfd.ok(['run', '--detach', '--bundle', bundle(t, ['sleep', '1000']).path, id]);
  const exec = async (body: object, route = 'exec') => {
    const answer = await turfd.rest(`/containers/${id}/${route}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: answer.body };
  };
  const json = async (body: object): Promise<Record<string, unknown>> =>
    JSON.parse((await exec(body)).body) as Record<string, unknown>;

  await t.test('answers with exit code, output and signal', async (t) => {
    t.match(await json({ args: ['sh', '-c', 'echo out; echo err >&2; exit 23'] }), {
      exitCode: 23,
      stdout: 'out\n',
      stderr: 'err\n',
      truncated: false,
    });
    t.match(await json({ args: ['sh', '-c', 'kill -KILL $$'] }), { exitSignal: 'SIGKILL' });
    t.match(await json({ args: ['cat'], stdin: 'line\n' }), { exitCode: 0, stdout: 'line\n' });
    t.match(await json({ args: ['cat'], stdinBase64: '/w==' }), { stdoutBase64: '/w==' });
    t.match(await json({ args: ['true'] }), { exitCode: 0, stdout: '', stderr: '' });
  });

  await t.test('runs what the options say', async (t) => {
    const shown = 'echo $(id -u):$(id -g) $PWD $A';
    const options = { user: { uid: 5, gid: 6 }, cwd: '/tmp', env: ['A=b'] };
    t.match(await json({ args: ['sh', '-c', shown], ...options }), { stdout: '5:6 /tmp b\n' });
    t.match(await json({ args: ['sh', '-c', 'echo x > /dev/stdout'] }), { exitCode: 0, stdout: 'x\n' });
  });

  await t.test('output over the limit is dropped, and the program goes on', async (t) => {
    const args = ['sh', '-c', 'dd if=/dev/zero bs=1024 count=2048 2>/dev/null; echo end >&2'];
    const answer = await json({ args, outputLimit: 1000 });
    t.match(answer, { exitCode: 0, truncated: true, stderr: 'end\n' });
    t.equal(String(answer['stdout']).length, 1000);
  });

  await t.test('a program that takes too long is killed', async (t) => {
    const answer = await exec({ args: ['sleep', '1000'], timeoutMs: 200 });
    t.equal(answer.status, 504);
    t.match(JSON.parse(answer.body), { code: 'TURF_ERR_TIMEOUT' });
    const left = await turfd.rest(`/containers/${id}/processes`);
    t.equal((JSON.parse(left.body) as { pids: number[] }).pids.length, 1, 'nothing of it is left');
  });

  await t.test('what it leaves running holds nobody up', async (t) => {
    const answer = await json({ args: ['sh', '-c', 'sleep 1000 & echo $!'] });
    t.match(answer, { exitCode: 0 });
    t.match(await json({ args: ['kill', String(answer['stdout']).trim()] }), { exitCode: 0 });
  });

  await t.test('streams: start, output, end', async (t) => {
    const { body, status } = await exec({ args: script('echo a; echo b >&2; exit 4') }, 'exec/stream');
    t.equal(status, 200);
    const lines = body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    t.type(lines[0]?.['pid'], 'number');
    t.strictSame(lines.at(-1), { exitCode: 4 });
    const written = (stream: string): string =>
      lines
        .filter((line) => line['stream'] === stream)
        .map(({ data }) => Buffer.from(String(data), 'base64').toString())
        .join('');
    t.strictSame([written('stdout'), written('stderr')], ['a\n', 'b\n']);
    await eventually('the program to be gone', () => !isAlive(Number(lines[0]?.['pid'])));
  });

  await t.test('what cannot be run is a problem that names it', async (t) => {
    t.match(await exec({ args: ['nope'] }), { status: 500, body: /TURF_ERR_LAUNCH.*nope/ });
    t.match(await exec({ args: ['nope'] }, 'exec/stream'), { status: 500, body: /TURF_ERR_LAUNCH/ });
    t.match(await exec({}), { status: 400, body: /either args or process/ });
    t.match(await exec({ args: ['true'], terminal: true }), { status: 400 });
    t.match(await exec({ process: { args: ['true'] } }), { status: 422, body: /process\.cwd/ });
  });

  await turfd.ok(['delete', '--force', id]);
});
