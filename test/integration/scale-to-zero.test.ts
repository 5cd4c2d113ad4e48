import { Agent, get } from 'node:http';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { workerBundle } from './harness/bundle.js';
import { http, target } from './harness/http.js';
import { cgroupsAbout, isAlive } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

const CODE = `let answered = 0;
addEventListener('uninstall', () => console.log('uninstalled after', answered));
export default { async fetch(request) {
  answered += 1;
  const { pathname } = new URL(request.url);
  if (pathname === '/slow') await new Promise((done) => setTimeout(done, 600));
  if (pathname === '/die') setTimeout(() => { throw new Error('on purpose'); });
  return new Response(aworker.id + ' ' + answered);
} };`;

/** Shorter than the pauses between the rounds below, so that the worker ends in many of them. */
const IDLE = '60ms';

await t.test('a worker that runs only while somebody asks', requires(), async (outer) => {
  const turfd = await Turfd.start(outer);
  const seed = turfd.id('seed');
  const { path } = workerBundle(outer, CODE, { turf: { seed: true } });
  await turfd.ok(['seed', 'create', '-b', path, seed]);
  const feed = await turfd.feed();
  const counted = (type: string, id: string): number =>
    feed.seen.filter((event) => event['type'] === type && event['id'] === id).length;
  /** Makes one that sleeps. @returns its address */
  const asleep = async (id: string, ...options: string[]): Promise<string> =>
    (await turfd.ok(['fork', ...options, seed, id])).stdout.trim();
  const falls = (id: string): Promise<unknown> => turfd.until(id, 'asleep');

  await outer.test('it is made without a process, and shown as asleep', async (t) => {
    const id = turfd.id('idle');
    const { stdout } = await turfd.ok(['fork', '--idle', IDLE, '--format', 'json', seed, id]);
    t.match(JSON.parse(stdout), { id, pid: 0, listen: `unix:${turfd.root}/${id}/http.sock` });
    t.match(await turfd.state(id), { pid: 0, status: 'asleep', turf: { state: 'asleep', seed } });
    t.match((await turfd.ok(['list'])).stdout, new RegExp(`${id} +0 +asleep`));
    t.match((await turfd.ok(['tree'])).stdout, new RegExp(`└─ ${id} +worker +asleep +0 `));
    t.match(await turfd.turf(['kill', id]), { status: 1, stderr: /not running: \S+ is asleep/ });
    t.match(await turfd.turf(['start', id]), { status: 1, stderr: /is asleep/ });
    t.match(await turfd.turf(['seed', 'rm', seed]), { status: 1, stderr: /live or sleep/ });
    await turfd.ok(['delete', id]);
    t.same(await turfd.turf(['state', id]).then(({ status }) => status), 1);
  });

  await outer.test('the first connection wakes it, the idle time ends it, and so on', async (t) => {
    const id = turfd.id('cycle');
    const listen = await asleep(id, '--idle', IDLE, '--listen', 'tcp:127.0.0.1:0');
    for (const round of [1, 2, 3]) {
      t.equal((await http(listen, '/')).body, `${id} 1`, 'a worker of its own in each round');
      await falls(id);
      t.equal(counted('woken', id), round);
      await eventually('the event', () => counted('scaled-to-zero', id) === round);
      t.same(cgroupsAbout(id), [], 'no cgroup while it sleeps');
    }
    t.match(
      feed.seen.filter((event) => event['id'] === id && event['type'] === 'scaled-to-zero'),
      [{ reason: 'idle', seed }],
    );
    t.match((await turfd.ok(['logs', id])).stdout, /(uninstalled after 1\n){3}/, 'it ends as a worker does');
    t.equal((await turfd.ok(['invoke', id])).stdout, `${id} 1`, 'invoke wakes it, too');
    await turfd.ok(['delete', '--force', id]);
    await t.rejects(http(listen, '/'), 'nobody listens any more');
  });

  await outer.test('a request keeps it awake, a connection that is merely open does not', async (t) => {
    const id = turfd.id('busy');
    const listen = await asleep(id, '--idle', IDLE);
    const agent = new Agent({ keepAlive: true });
    t.teardown(() => agent.destroy());
    const answer = await new Promise<string>((resolve, reject) => {
      get({ ...target(listen), path: '/slow', agent }, (incoming) => {
        incoming.setEncoding('utf8').once('data', resolve);
      }).on('error', reject);
    });
    t.equal(answer, `${id} 1`);
    await falls(id);
    t.pass('although the client keeps its connection');
    await turfd.ok(['delete', id]);
  });

  for (const [kind, address] of [
    ['TCP', 'tcp:127.0.0.1:0'],
    ['Unix', undefined],
  ] as const)
    await outer.test(`no connection is refused or lost: ${kind}, 200 requests over many lives`, async (t) => {
      const id = turfd.id(`all-${kind}`);
      const listen = await asleep(
        id,
        '--idle',
        IDLE,
        ...(address === undefined ? [] : ['--listen', address]),
      );
      const bodies: string[] = [];
      let asked = 0;
      for (let round = 0; asked < 200; round++) {
        const count = 1 + (round % 9);
        asked += count;
        const answers = await Promise.all(Array.from({ length: count }, () => http(listen, '/')));
        for (const { status, body } of answers) bodies.push(`${status} ${body.split(' ', 1).join('')}`);
        // From well before the moment at which the worker ends to well after it.
        await delay((round % 10) * 13);
      }
      t.equal(bodies.length, asked);
      t.same([...new Set(bodies)], [`200 ${id}`]);
      t.ok(counted('woken', id) > 3, `${counted('woken', id)} workers served them`);
      await turfd.ok(['delete', '--force', id]);
    });

  await outer.test('with --disposable each request has a process of its own', async (t) => {
    const id = turfd.id('each');
    const listen = await asleep(id, '--idle', '30s', '--disposable');
    for (const request of [1, 2, 3]) t.equal((await http(listen, '/')).body, `${id} 1`, `request ${request}`);
    await turfd.ok(['delete', '--force', id]);
  });

  await outer.test('one that is killed or fails sleeps, too; the next request wakes another', async (t) => {
    const id = turfd.id('fails');
    const listen = await asleep(id, '--idle', '30s');
    await http(listen, '/');
    const { pid } = await turfd.state(id);
    await turfd.ok(['kill', id, 'KILL']);
    await eventually('it to end', () => !isAlive(pid));
    t.equal((await http(listen, '/')).body, `${id} 1`);
    await http(listen, '/die');
    await eventually('two ends', () => counted('scaled-to-zero', id) === 2);
    t.match(
      feed.seen.filter((event) => event['id'] === id && event['type'] === 'scaled-to-zero'),
      [{ reason: 'SIGKILL' }, { reason: 'exit 1' }],
    );
    t.equal((await http(listen, '/')).body, `${id} 1`);
    await turfd.ok(['delete', '--force', id]);
  });

  await outer.test('kill -9 of the daemon loses no connection, asleep or awake', async (t) => {
    const [one, other] = [turfd.id('kept'), turfd.id('awake')];
    const listen = await asleep(one, '--idle', IDLE, '--listen', 'tcp:127.0.0.1:0');
    const second = await asleep(other, '--idle', '4s', '--listen', 'tcp:127.0.0.1:0');
    await http(second, '/');
    const { pid } = await turfd.state(other);
    const node = turfd.nodePid;
    await turfd.killNode();
    const answers = [http(listen, '/'), http(second, '/')];
    await eventually('the worker to end by itself', () => !isAlive(pid));
    answers.push(http(second, '/'));
    await turfd.untilRestarted(node);
    t.same(
      (await Promise.all(answers)).map(({ body }) => body),
      [`${one} 1`, `${other} 2`, `${other} 1`],
      'the last by a worker that only the new daemon could fork',
    );
    await turfd.until(one, 'asleep');
    t.equal((await http(listen, '/')).body, `${one} 1`);
  });

  await outer.test('a daemon that was stopped binds the addresses again', async (t) => {
    const id = turfd.id('kept');
    const { listen = '' } = (await turfd.state(id)).turf;
    await turfd.until(id, 'asleep');
    t.equal(await turfd.stop(), 0);
    await t.rejects(http(listen, '/'), 'nobody is there to wake it');
    await turfd.up();
    await eventually('the address to be bound', async () =>
      http(listen, '/').then(
        ({ body }) => body === `${id} 1`,
        () => false,
      ),
    );
    for (const name of ['kept', 'awake']) await turfd.ok(['delete', '--force', turfd.id(name)]);
  });

  const again = await turfd.feed();

  await outer.test('a connection waits for a seed that is being replaced', async (t) => {
    const kept = turfd.id('restarting');
    const id = turfd.id('patient');
    await turfd.ok(['seed', 'create', '-b', path, '--restart', 'always', kept]);
    const listen = (await turfd.ok(['fork', '--idle', IDLE, kept, id])).stdout.trim();
    process.kill((await turfd.state(kept)).pid, 'SIGKILL');
    await eventually('the seed to be down', () =>
      again.seen.some((event) => event['type'] === 'seed-down' && event['seed'] === kept),
    );
    // As long as a seed takes to start.
    t.equal((await http(listen, '/', { timeout: 60_000 })).body, `${id} 1`);
    t.match((await turfd.ok(['tree'])).stdout, new RegExp(`${kept}\\+2.*\n.*${id} `));
    await turfd.ok(['delete', '--force', id]);
    await turfd.ok(['seed', 'rm', '--force', kept]);
  });

  await outer.test('options that it does not go with are named', async (t) => {
    for (const option of [['--hold'], ['--cold'], ['--on-exit', 'restart'], ['--when-unready', 'cold']]) {
      const outcome = await turfd.turf(['fork', '--idle', IDLE, ...option, seed, turfd.id('no')]);
      t.not(outcome.status, 0, option.join(' '));
    }
    const answer = await turfd.rest(`/seeds/${seed}/fork`, {
      method: 'POST',
      body: JSON.stringify({ id: turfd.id('no'), idleMs: 0 }),
    });
    t.match(JSON.parse(answer.body), { status: 400, path: 'idleMs' });
    t.notOk((await turfd.list()).some(({ id }) => id === turfd.id('no')));
  });
});
