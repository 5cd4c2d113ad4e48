import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { bundle, workerBundle } from '../harness/bundle.js';
import { requires } from '../harness/requires.js';
import { eventually, Turfd } from '../harness/turfd.js';

/** The kernel announces every change of a mount table to who polls its mountinfo, as systemd does (proc(5)). */
const WATCHER = `
import select, signal, sys
table = open('/proc/self/mountinfo')
table.read()
poll = select.poll()
poll.register(table, select.POLLPRI | select.POLLERR)
stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
print('watching', flush=True)
events = ours = 0
while not stopped:
    if poll.poll(50):
        events += 1
        table.seek(0)
        text = table.read()
        ours += any(name in text for name in sys.argv[1:])
print('events', events, 'ours', ours, flush=True)
`;

const CONTAINERS = 20;

await t.test('the mount table of the host', requires('program:python3'), async (outer) => {
  const turfd = await Turfd.start(outer);

  await outer.test(
    'is not touched by containers, seeds and workers: who watches it sees nothing',
    async (t) => {
      const seed = turfd.id('seed');
      const code = 'export default { fetch() { return new Response("hi"); } };';
      const { path } = bundle(t, ['sleep', '1000'], (config, dir) => {
        config.mounts.push({ destination: '/srv', type: 'bind', source: dir, options: ['rbind', 'rslave'] });
      });
      const before = readFileSync('/proc/self/mountinfo', 'utf8');
      const watcher = spawn('python3', ['-c', WATCHER, path, turfd.root], { stdio: ['ignore', 'pipe', 'inherit'] });
      t.teardown(() => watcher.kill('SIGKILL'));
      let said = '';
      watcher.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      await eventually('the watcher', () => said.includes('watching'));

      const ids = Array.from({ length: CONTAINERS }, (_, i) => turfd.id(`c${i}`));
      for (const id of ids) await turfd.ok(['run', '--detach', '--bundle', path, id]);
      await turfd.ok([
        'seed',
        'create',
        '--bundle',
        workerBundle(t, code, { turf: { seed: true } }).path,
        seed,
      ]);
      await turfd.until(seed, 'forkwait');
      await turfd.ok(['fork', seed, turfd.id('worker')]);
      t.equal(readFileSync('/proc/self/mountinfo', 'utf8'), before, 'while they live');
      for (const id of [...ids, turfd.id('worker'), seed]) await turfd.ok(['delete', '--force', id]);
      t.equal(readFileSync('/proc/self/mountinfo', 'utf8'), before, 'and after');

      const ended = once(watcher, 'exit');
      watcher.kill('SIGTERM');
      await ended;
      t.comment(said.trim());
      // Tests that run beside this one may mount something of their own.
      t.match(said, /events \d+ ours 0\n/);
    },
  );
});
