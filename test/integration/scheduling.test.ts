import { readFileSync } from 'node:fs';
import t from 'tap';
import { bundle, script } from './harness/bundle.js';
import type { BundleConfig } from './harness/config.js';
import { requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

/** Fields of /proc/PID/stat (proc(5)), counted from 1. */
const NICE = 19;
const RT_PRIORITY = 40;
const POLICY = 41;

await t.test('scheduling, memory and clocks of a container', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  let number = 0;
  const inside = (text: string, mutate: (config: BundleConfig) => void) => {
    const { path } = bundle(t, script(text), mutate);
    return turfd.turf(['run', '--bundle', path, turfd.id(`s${++number}`)]);
  };
  const stat = async (scheduler: unknown): Promise<string[]> => {
    const { stdout, stderr } = await inside('cat /proc/self/stat; true', (config) => {
      Object.assign(config.process, { scheduler });
    });
    t.equal(stderr, '');
    return [
      '',
      ...stdout
        .replace(/\(.*\)/, 'comm')
        .trim()
        .split(' '),
    ];
  };

  await t.test('process.scheduler: a policy and a nice value', async (t) => {
    const batch = await stat({ policy: 'SCHED_BATCH', nice: 5 });
    t.equal(batch[POLICY], '3');
    t.equal(batch[NICE], '5');
    const idle = await stat({ policy: 'SCHED_IDLE' });
    t.equal(idle[POLICY], '5');
    const other = await stat({ policy: 'SCHED_OTHER', nice: -7 });
    t.equal(other[POLICY], '0');
    t.equal(other[NICE], '-7');
  });

  await t.test('process.scheduler: flags, a child is reset', async (t) => {
    const flags = { policy: 'SCHED_OTHER', nice: -5, flags: ['SCHED_FLAG_RESET_ON_FORK'] };
    const child = await stat(flags);
    t.equal(child[NICE], '0', 'cat is a child of the shell');
    const { stdout } = await inside('exec cat /proc/self/stat', (config) => {
      Object.assign(config.process, { scheduler: flags });
    });
    t.equal(stdout.replace(/\(.*\)/, 'comm').split(' ')[NICE - 1], '-5', 'the first process keeps it');
  });

  await t.test('process.scheduler: a real-time policy is set, or refused by its name', async (t) => {
    // With CONFIG_RT_GROUP_SCHED, the container's cgroup must have been given real-time.
    const outcome = await inside('exec cat /proc/self/stat', (config) => {
      Object.assign(config.process, { scheduler: { policy: 'SCHED_RR', priority: 3 } });
    });
    const fields = ['', ...outcome.stdout.replace(/\(.*\)/, 'comm').split(' ')];
    if (outcome.status === 0) t.same([fields[RT_PRIORITY], fields[POLICY]], ['3', '2']);
    else t.match(outcome.stderr, 'process.scheduler: set scheduling policy: operation not permitted');
    const unknown = await inside('true', (config) => {
      Object.assign(config.process, { scheduler: { policy: 'SCHED_ISO' } });
    });
    t.match(unknown.stderr, 'process.scheduler: set scheduling policy: invalid argument');
  });

  await t.test('process.ioPriority', async (t) => {
    for (const [name, priority, shown] of [
      ['IOPRIO_CLASS_BE', 6, 'best-effort: prio 6'],
      ['IOPRIO_CLASS_IDLE', 0, 'idle'],
      ['IOPRIO_CLASS_RT', 2, 'realtime: prio 2'],
    ] as const) {
      const { stdout } = await inside('busybox ionice -p $$', (config) => {
        Object.assign(config.process, { ioPriority: { class: name, priority } });
      });
      t.equal(stdout.trim(), shown);
    }
  });

  await t.test('linux.memoryPolicy', requires('file:/proc/self/numa_maps'), async (t) => {
    const policy = async (memoryPolicy: unknown): Promise<string> => {
      const { stdout, stderr } = await inside('cat /proc/self/numa_maps', (config) => {
        config.linux['memoryPolicy'] = memoryPolicy;
      });
      return /^[0-9a-f]+ (\S+)/m.exec(stdout)?.[1] ?? stderr;
    };
    t.equal(await policy({ mode: 'MPOL_BIND', nodes: '0' }), 'bind:0');
    t.equal(
      await policy({ mode: 'MPOL_PREFERRED', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] }),
      'prefer=static:0',
    );
    t.equal(await policy({ mode: 'MPOL_INTERLEAVE', nodes: '0' }), 'interleave:0');
    t.equal(await policy({ mode: 'MPOL_LOCAL' }), 'local');
    t.match(
      await policy({ mode: 'MPOL_BIND', nodes: '1000' }),
      'linux.memoryPolicy: set memory policy: invalid argument',
    );
  });

  await t.test('linux.timeOffsets set the clocks', requires('namespace:time'), async (t) => {
    const offsets = { monotonic: { secs: 172_800 }, boottime: { secs: 604_800, nanosecs: 5 } };
    for (const user of [false, true]) {
      const { stdout, status } = await inside(
        'cat /proc/uptime /proc/self/timens_offsets; readlink /proc/$$/ns/time; readlink /proc/$$/ns/time_for_children',
        (config) => {
          config.linux.namespaces.push({ type: 'time' });
          config.linux['timeOffsets'] = offsets;
          if (!user) return;
          config.linux.namespaces.push({ type: 'user' });
          config.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 1000 }];
          config.linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 1000 }];
        },
      );
      t.equal(status, 0);
      const [uptime = '', monotonic, boottime, own, children] = stdout.split('\n');
      t.ok(
        Number(uptime.split(' ')[0]) > Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) + 600_000,
      );
      t.match(monotonic, /^monotonic +172800 +0$/);
      t.match(boottime, /^boottime +604800 +5$/);
      t.equal(own, children);
    }
  });

  await t.test('linux.personality: a 32-bit machine by name', async (t) => {
    const { stdout } = await inside('busybox uname -m', (config) => {
      config.linux['personality'] = { domain: 'LINUX32' };
    });
    t.match(stdout, /^(i686|armv8l)$/m);
  });

  await t.test('process.execCPUAffinity is not for the first process', async (t) => {
    const { stdout } = await inside('grep Cpus_allowed_list /proc/self/status', (config) => {
      Object.assign(config.process, { execCPUAffinity: { initial: '0', final: '0' } });
    });
    const host = /^Cpus_allowed_list:\t(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    t.equal(stdout.trim(), `Cpus_allowed_list:\t${host ?? ''}`);
  });
});
