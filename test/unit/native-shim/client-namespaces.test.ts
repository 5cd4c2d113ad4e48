import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { t } from 'tap';
import { loadKernel } from '../../../native-shim/libturf.js';
import { listenForClients } from '../../fixtures/native/fake-daemon.js';
import { compileFakeInit, loadFakeInit } from '../../fixtures/native/fake-init.js';
import { CLIENT, start } from '../../fixtures/native/run-client.js';

const CLONE_NEWUTS = 0x04000000;
const kernel = loadKernel();
const directory = t.testdir();
const init = loadFakeInit(compileFakeInit(directory), kernel);
const noRoot = process.getuid?.() === 0 ? false : 'needs root';

function statusField(pid: number, name: string): string {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim() ?? '';
}

void t.test(
  "a child born in joined user and pid namespaces is the client's own",
  { skip: noRoot },
  async (t) => {
    const other = spawn('unshare', [
      '--user',
      '--map-root-user',
      '--pid',
      '--fork',
      '--kill-child',
      'sh',
      '-c',
      'echo up; exec sleep 1000',
    ]);
    t.teardown(() => other.kill('SIGKILL'));
    await new Promise((resolve) => other.stdout.once('data', resolve));
    const fds = ['user', 'pid_for_children'].map((name) =>
      openSync(`/proc/${other.pid ?? 0}/ns/${name}`, 'r'),
    );
    const server = await listenForClients(directory, kernel, async (client) => {
      await client.request();
      const changes = { cloneFlags: CLONE_NEWUTS, userNsFd: 3, pidNsFd: 4 };
      const { answer, sync } = await client.launch(init, 'report', { extraFds: fds, changes });
      const pid = answer.result;
      t.equal(answer.step, '');
      t.equal(statusField(pid, 'PPid'), String(child.pid));
      t.match(statusField(pid, 'NSpid'), /^\d+\t\d+$/);
      for (const name of ['user', 'pid'])
        t.equal(
          readlinkSync(`/proc/${pid}/ns/${name}`),
          readlinkSync(`/proc/${other.pid ?? 0}/ns/${name === 'pid' ? 'pid_for_children' : name}`),
        );
      t.not(readlinkSync(`/proc/${pid}/ns/uts`), readlinkSync('/proc/self/ns/uts'));
      t.match(JSON.parse(kernel.receive(sync, 4096).data.toString()), {
        argv: ['turf-init', '3', '0'],
        fds: [0, 1, 2, 3, 4],
      });
      closeSync(sync);
      client.foreground();
      await client.expect('W');
      client.exit(0);
    });
    t.teardown(() => server.close());
    const { child, ended } = start([CLIENT, '--root', directory]);
    t.match(await ended, { code: 0, stderr: '' });
    for (const fd of fds) closeSync(fd);
  },
);

const unified = readFileSync('/proc/self/mountinfo', 'utf8')
  .split('\n')
  .find((line) => / - cgroup2 /.test(line))
  ?.split(' ')[4];
const noCgroup = noRoot !== false ? noRoot : unified === undefined ? 'no cgroup2 mount' : false;

void t.test('a child is born in its cgroup', { skip: noCgroup }, async (t) => {
  const cgroup = mkdtempSync(join(unified ?? '', 'turf-test-'));
  t.teardown(() => rmdirSync(cgroup));
  const root = join(directory, 'cgroup');
  mkdirSync(root);
  const server = await listenForClients(root, kernel, async (client) => {
    await client.request();
    const fd = openSync(cgroup, 'r');
    const { answer, sync } = await client.launch(init, 'wait', { extraFds: [fd], changes: { cgroupFd: 3 } });
    t.equal(readFileSync(join(cgroup, 'cgroup.procs'), 'utf8'), `${answer.result}\n`);
    closeSync(fd);
    closeSync(sync);
    client.foreground();
    await client.expect('W');
    client.exit(0);
  });
  t.teardown(() => server.close());
  t.match(await start([CLIENT, '--root', root]).ended, { code: 0, stderr: '' });
});
