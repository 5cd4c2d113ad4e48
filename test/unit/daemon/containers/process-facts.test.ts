import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import t from 'tap';
import {
  isAlive,
  openProcess,
  parseStat,
  readProcess,
  runs,
  signalProcess,
} from '../../../../daemon/containers/process-facts.js';
import { kernel } from '../channel/socket-pair.js';

const stat = (name: string, state = 'S', threads = 1): string =>
  `42 (${name}) ${state} 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 ${threads} 0 987654321 1000 10 18446744073709551615`;

void t.test('a program may have any name', (t) => {
  for (const name of ['sh', 'a b', ') Z 1 1', '((', ')', '']) {
    t.strictSame(parseStat(stat(name)), { state: 'S', parent: 7, threads: 1, startTime: 987654321n }, name);
  }
  t.equal(parseStat('42 (sh) S 1'), undefined);
  t.equal(parseStat(''), undefined);
  t.end();
});

void t.test('a zombie has ended, unless other threads of it run', (t) => {
  const of = (state: string, threads: number): boolean => {
    const facts = parseStat(stat('x', state, threads));
    return facts !== undefined && runs(facts);
  };
  t.ok(of('S', 1));
  t.ok(of('D', 1));
  t.notOk(of('Z', 1));
  t.notOk(of('X', 1));
  t.ok(of('Z', 2));
  t.end();
});

void t.test('the start time tells one process from the next with its pid', async (t) => {
  const child = spawn('sleep', ['1000']);
  const pid = child.pid ?? 0;
  const facts = readProcess(pid);
  t.equal(facts?.parent, process.pid);
  const startTime = facts?.startTime ?? 0n;
  t.ok(isAlive(pid, startTime));
  t.notOk(isAlive(pid, startTime + 1n));
  const opened = openProcess(kernel, pid);
  t.equal(opened?.facts.startTime, startTime);
  if (opened === undefined) return t.fail('it lives');
  t.ok(signalProcess(kernel, opened.pidfd, 0));
  t.throws(() => signalProcess(kernel, opened.pidfd, 1000), { code: 'EINVAL' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.notOk(signalProcess(kernel, opened.pidfd, 9), 'one that was reaped is no error');
  closeSync(opened.pidfd);
  t.notOk(isAlive(pid, startTime));
  t.equal(openProcess(kernel, pid), undefined);
});
