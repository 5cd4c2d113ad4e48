import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { bundle, script, temporary } from './harness/bundle.js';
import type { BundleConfig } from './harness/config.js';
import { PROJECT, requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

interface Received {
  readonly descriptors: number;
  readonly state: {
    readonly ociVersion: string;
    readonly fds: string[];
    readonly pid: number;
    readonly metadata?: string;
    readonly state: Readonly<Record<string, unknown>>;
  };
}

/** An agent that answers every call with ENOSPC, and what it was sent. */
async function startAgent(t: Test): Promise<{ path: string; next: () => Promise<Received> }> {
  const path = join(temporary(t, 'tf-'), 's');
  const program = join(PROJECT, 'test/integration/harness/seccomp-agent.py');
  const agent: ChildProcess = spawn('python3', [program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => agent.kill('SIGKILL'));
  if (agent.stdout === null) throw new Error('the agent has no output');
  const lines = createInterface({ input: agent.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => String((await lines.next()).value);
  await line();
  return { path, next: async () => JSON.parse(await line()) as Received };
}

await t.test('SCMP_ACT_NOTIFY', requires('program:python3', 'kernel:5.12'), async (t) => {
  const turfd = await Turfd.start(t);
  const notify = (listenerPath: string, names: string[]) => ({
    defaultAction: 'SCMP_ACT_ALLOW',
    flags: ['SECCOMP_FILTER_FLAG_TSYNC'],
    listenerPath,
    listenerMetadata: 'meta @PID@ "data"',
    syscalls: [{ names, action: 'SCMP_ACT_NOTIFY' }],
  });

  for (const [when, mutate] of [
    ['after start: no_new_privs', undefined],
    [
      'before start: the process is to keep no privilege',
      (config: BundleConfig): void => {
        config.process.noNewPrivileges = false;
      },
    ],
  ] as const) {
    await t.test(`the agent gets the descriptor and the state, and answers (${when})`, async (t) => {
      const agent = await startAgent(t);
      const id = turfd.id(mutate === undefined ? 'late' : 'early');
      const { path } = bundle(t, script('mkdir /dev/shm/x; echo "status $?"'), (config) => {
        config.linux.seccomp = notify(agent.path, ['mkdir', 'mkdirat']);
        config.annotations = { key: 'value' };
        mutate?.(config);
      });
      const { stdout, stderr } = await turfd.turf(['run', '--bundle', path, id]);
      t.match(stderr, /No space left/);
      t.equal(stdout, 'status 1\n');
      const { descriptors, state } = await agent.next();
      t.equal(descriptors, 1);
      t.match(state, {
        ociVersion: '1.0.2',
        fds: ['seccompFd'],
        metadata: 'meta @PID@ "data"',
        state: {
          ociVersion: '1.0.2',
          id,
          status: mutate === undefined ? 'created' : 'creating',
          bundle: path,
          annotations: { key: 'value' },
        },
      });
      t.ok(state.pid > 1);
      t.equal(state.state['pid'], state.pid);
    });
  }

  await t.test('calls that turf itself needs for sending may be handed over', async (t) => {
    const agent = await startAgent(t);
    const { path } = bundle(t, script('echo fine'), (config) => {
      config.linux.seccomp = notify(agent.path, ['sendmsg', 'close', 'sched_yield', 'wait4']);
    });
    const { stdout } = await turfd.turf(['run', '--bundle', path, turfd.id('own')]);
    t.equal(stdout, 'fine\n');
    t.equal((await agent.next()).descriptors, 1);
  });

  await t.test('nobody at listenerPath is an error of create or start', async (t) => {
    const missing = join(temporary(t), 'missing');
    const { path } = bundle(t, ['true'], (config) => {
      config.linux.seccomp = notify(missing, ['mkdir']);
    });
    const { status, stderr } = await turfd.turf(['run', '--bundle', path, turfd.id('nobody')]);
    t.not(status, 0);
    t.match(stderr, `linux.seccomp.listenerPath: connect to ${missing}: no such file or directory`);
  });

  await t.test('without a rule that notifies, listenerPath is ignored', async (t) => {
    const { path } = bundle(t, script('echo fine'), (config) => {
      config.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/no/where' };
    });
    t.equal((await turfd.turf(['run', '--bundle', path, turfd.id('ignored')])).stdout, 'fine\n');
  });
});
