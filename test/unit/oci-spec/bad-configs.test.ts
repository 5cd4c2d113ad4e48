import t from 'tap';

import { ConfigError } from '../../../oci-spec/config-error.js';
import { parseConfig } from '../../../oci-spec/parse.js';
import { CONTAINER, type Json, patched, WORKER } from './example-configs.js';

type Row = readonly [patch: Json, ...messages: string[]];

const long = 'x'.repeat(65);
const user = { namespaces: [{ type: 'user' }, { type: 'uts' }] };
const mapping = { containerID: 0, hostID: 1000, size: 10 };
const maps = { uidMappings: [mapping], gidMappings: [mapping] };
const USER_ONLY = { namespaces: [{ type: 'user' }], ...maps };

const BAD: readonly Row[] = [
  // Shape
  [{ ociVersion: null }, 'ociVersion: is required'],
  [{ ociVersion: 1 }, 'ociVersion: must be a string, got 1'],
  [{ process: 'sh' }, 'process: must be an object, got "sh"'],
  [{ process: { args: 'sh' } }, 'process.args: must be an array, got "sh"'],
  [{ process: { args: ['sh', 1] } }, 'process.args[1]: must be a string, got 1'],
  [{ process: { cwd: null } }, 'process.cwd: is required'],
  [{ process: { user: { uid: null } } }, 'process.user.uid: is required'],
  [{ process: { user: { uid: -1 } } }, 'process.user.uid: must be an integer from 0 to 4294967295, got -1'],
  [{ process: { user: { uid: '0' } } }, 'process.user.uid: must be an integer from 0 to 4294967295, got "0"'],
  [{ process: { user: { gid: 1.5 } } }, 'process.user.gid: must be an integer from 0 to 4294967295, got 1.5'],
  [{ process: { terminal: 'yes' } }, 'process.terminal: must be a boolean, got "yes"'],
  [{ process: { consoleSize: { height: 1 } } }, 'process.consoleSize.width: is required'],
  [
    { process: { oomScoreAdj: 1001 } },
    'process.oomScoreAdj: must be an integer from -1000 to 1000, got 1001',
  ],
  [
    { process: { rlimits: [{ type: 'RLIMIT_CORE', soft: -1, hard: 0 }] } },
    'process.rlimits[0].soft: must be an integer from 0 to 18446744073709551615, got -1',
  ],
  [
    { process: { ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 8 } } },
    'process.ioPriority.priority: must be an integer from 0 to 7, got 8',
  ],
  [{ root: {}, mounts: [{}] }, 'mounts[0].destination: is required'],
  [{ root: { path: null } }, 'root.path: is required'],
  [{ annotations: { a: 1 } }, 'annotations.a: must be a string, got 1'],
  [{ annotations: { 'a.b/c': [] } }, 'annotations["a.b/c"]: must be a string, got an array'],
  [
    { linux: { namespaces: [{ type: 'net' }] } },
    'linux.namespaces[0].type: must be one of "cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"; got "net"',
  ],
  [
    { linux: { rootfsPropagation: 'rw' } },
    'linux.rootfsPropagation: must be one of "shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable"; got "rw"',
  ],
  [
    { linux: { devices: [{ type: 'x', path: '/dev/x' }] } },
    'linux.devices[0].type: must be one of "c", "b", "u", "p"; got "x"',
  ],
  [
    { linux: { seccomp: { defaultAction: 'ALLOW' } } },
    'linux.seccomp.defaultAction: must be one of "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"; got "ALLOW"',
  ],
  [
    {
      linux: {
        seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: [], action: 'SCMP_ACT_LOG' }] },
      },
    },
    'linux.seccomp.syscalls[0].names: must not be empty',
  ],
  [
    { linux: { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_X'] } } },
    'linux.seccomp.flags[0]: must be one of "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"; got "SECCOMP_FILTER_FLAG_X"',
  ],
  [
    { linux: { sysctl: { 'net.core.somaxconn': 1 } } },
    'linux.sysctl["net.core.somaxconn"]: must be a string, got 1',
  ],
  [
    { linux: { resources: { memory: { swappiness: 101 } } } },
    'linux.resources.memory.swappiness: must be an integer from 0 to 100, got 101',
  ],
  [
    { linux: { resources: { blockIO: { weight: 70000 } } } },
    'linux.resources.blockIO.weight: must be an integer from 0 to 65535, got 70000',
  ],
  [
    { process: { cwd: 1, terminal: 1 }, hostname: 1 },
    'process.terminal: must be a boolean, got 1',
    'process.cwd: must be a string, got 1',
    'hostname: must be a string, got 1',
  ],
  // Version
  [{ ociVersion: 'latest' }, 'ociVersion: must be a semantic version such as "1.3.0", got "latest"'],
  [{ ociVersion: '1.2' }, 'ociVersion: must be a semantic version such as "1.3.0", got "1.2"'],
  [{ ociVersion: '2.0.0' }, 'ociVersion: must be 1.0.0 to 1.3.x, got "2.0.0"'],
  [{ ociVersion: '0.9.0' }, 'ociVersion: must be 1.0.0 to 1.3.x, got "0.9.0"'],
  [{ ociVersion: '1.4.0' }, 'ociVersion: must be 1.0.0 to 1.3.x, got "1.4.0"'],
  // Process
  [{ process: null }, 'process: is required'],
  [{ root: null }, 'root: is required'],
  [{ root: { path: '' } }, 'root.path: must not be empty'],
  [{ process: { args: null } }, 'process.args: is required'],
  [{ process: { args: [] } }, 'process.args: must not be empty'],
  [{ process: { args: [''] } }, 'process.args[0]: must not be empty'],
  [{ process: { args: ['a\0b'] } }, 'process.args[0]: must not contain a NUL character'],
  [{ process: { cwd: 'tmp' } }, 'process.cwd: must be an absolute path, got "tmp"'],
  [{ process: { env: ['PATH'] } }, 'process.env[0]: must be NAME=VALUE, got "PATH"'],
  [{ process: { env: ['A=1', '=2'] } }, 'process.env[1]: must be NAME=VALUE, got "=2"'],
  [
    { process: { user: { uid: 4294967295 } } },
    'process.user.uid: must be at most 4294967294, got 4294967295',
  ],
  [
    { process: { user: { additionalGids: [4294967295] } } },
    'process.user.additionalGids[0]: must be at most 4294967294, got 4294967295',
  ],
  [{ process: { user: { umask: 512 } } }, 'process.user.umask: must be 0 to 511 (octal 777), got 512'],
  [
    { process: { user: { username: 'root' } } },
    'process.user.username: is for Windows only; set uid and gid',
  ],
  [
    { process: { terminal: true, consoleSize: { height: 65536, width: 80 } } },
    'process.consoleSize.height: must be at most 65535, got 65536',
  ],
  [
    { process: { rlimits: [{ type: 'NOFILE', soft: 1, hard: 1 }] } },
    'process.rlimits[0].type: is not a resource limit: "NOFILE"',
  ],
  [
    { process: { rlimits: [{ type: 'RLIMIT_CORE', soft: 2, hard: 1 }] } },
    'process.rlimits[0].soft: must not exceed the hard limit 1, got 2',
  ],
  [
    {
      process: {
        rlimits: [
          { type: 'RLIMIT_CORE', soft: 1, hard: 1 },
          { type: 'RLIMIT_CORE', soft: 1, hard: 1 },
        ],
      },
    },
    'process.rlimits[1].type: repeats RLIMIT_CORE',
  ],
  [
    { process: { capabilities: { effective: ['CAP_KILL'] } } },
    'process.capabilities.effective[0]: CAP_KILL must be permitted too',
  ],
  // Mounts
  [{ mounts: [{ destination: '', type: 'tmpfs' }] }, 'mounts[0].destination: must not be empty'],
  [
    { mounts: [{ destination: '/a', source: 'b' }] },
    'mounts[0].type: is required: the mount is no bind mount',
  ],
  [
    { mounts: [{ destination: '/a', type: 'none', options: ['rbind'] }] },
    'mounts[0].source: is required for a bind mount',
  ],
  [
    { mounts: [{ destination: '/a', type: 'tmpfs', options: [''] }] },
    'mounts[0].options[0]: must not be empty',
  ],
  [
    { mounts: [{ destination: '/a', source: '/b', options: ['bind', 'idmap'], uidMappings: [mapping] }] },
    'mounts[0].gidMappings: is required beside uidMappings',
  ],
  [
    { mounts: [{ destination: '/a', type: 'tmpfs' }], linux: USER_ONLY },
    'mounts: needs a mount namespace in linux.namespaces beside the user namespace',
  ],
  [
    { linux: { ...USER_ONLY, maskedPaths: ['/proc/kcore'] } },
    'linux.maskedPaths: needs a mount namespace in linux.namespaces beside the user namespace',
  ],
  [
    { linux: { ...USER_ONLY, readonlyPaths: ['/proc/sys'] } },
    'linux.readonlyPaths: needs a mount namespace in linux.namespaces beside the user namespace',
  ],
  [{ linux: { maskedPaths: ['proc'] } }, 'linux.maskedPaths[0]: must be an absolute path, got "proc"'],
  [{ linux: { readonlyPaths: [''] } }, 'linux.readonlyPaths[0]: must be an absolute path, got ""'],
  // Namespaces
  [{ linux: { namespaces: [{ type: 'pid' }, { type: 'pid' }] } }, 'linux.namespaces[1].type: repeats "pid"'],
  [
    { linux: { namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts', path: 'x' }] } },
    'linux.namespaces[2].path: must be an absolute path, got "x"',
  ],
  [
    { linux: maps },
    'linux.uidMappings: needs a user namespace in linux.namespaces',
    'linux.gidMappings: needs a user namespace in linux.namespaces',
  ],
  [
    { linux: user },
    'linux.uidMappings: is required for a new user namespace',
    'linux.gidMappings: is required for a new user namespace',
  ],
  [
    { linux: { ...user, ...maps, uidMappings: [{ ...mapping, size: 0 }, mapping] } },
    'linux.uidMappings[0].size: must be greater than zero, got 0',
  ],
  [
    { linux: { ...user, ...maps, gidMappings: [{ ...mapping, size: 4294967295 }] } },
    'linux.gidMappings[0].size: reaches beyond the last id 4294967295, got 4294967295',
  ],
  [
    { linux: { ...user, ...maps, uidMappings: [mapping, { containerID: 9, hostID: 5000, size: 1 }] } },
    'linux.uidMappings[1].containerID: overlaps another entry, got 9',
  ],
  [
    { linux: { ...user, ...maps, gidMappings: [mapping, { containerID: 90, hostID: 1009, size: 1 }] } },
    'linux.gidMappings[1].hostID: overlaps another entry, got 1009',
  ],
  [
    { linux: { ...user, ...maps }, process: { user: { uid: 10, gid: 11, additionalGids: [12] } } },
    'process.user.uid: is not in linux.uidMappings, got 10',
    'process.user.gid: is not in linux.gidMappings, got 11',
    'process.user.additionalGids[0]: is not in linux.gidMappings, got 12',
  ],
  [{ hostname: 'a', linux: { namespaces: [] } }, 'hostname: needs a uts namespace in linux.namespaces'],
  [{ domainname: 'a', linux: { namespaces: [] } }, 'domainname: needs a uts namespace in linux.namespaces'],
  [{ hostname: long }, 'hostname: must be at most 64 bytes, got 65'],
  [
    { linux: { timeOffsets: { monotonic: { secs: 1 } } } },
    'linux.timeOffsets: needs a time namespace in linux.namespaces',
  ],
  [
    { linux: { namespaces: [{ type: 'time' }], timeOffsets: { realtime: { nanosecs: 1e9 } } } },
    'linux.timeOffsets.realtime: unknown clock "realtime": must be "monotonic" or "boottime"',
    'linux.timeOffsets.realtime.nanosecs: must be at most 999999999, got 1000000000',
  ],
  // Hooks
  [
    { hooks: { poststop: [{ path: '/bin/true' }, { path: 'bin/true' }] } },
    'hooks.poststop[1].path: must be an absolute path, got "bin/true"',
  ],
  [
    { hooks: { createRuntime: [{ path: '/bin/true', timeout: 0 }] } },
    'hooks.createRuntime[0].timeout: must be greater than zero, got 0',
  ],
  // Sysctl
  [
    { linux: { sysctl: { 'vm.swappiness': '1' } } },
    'linux.sysctl["vm.swappiness"]: belongs to no namespace: it would change the host',
  ],
  [
    { linux: { sysctl: { 'net/../vm/swappiness': '1' } } },
    'linux.sysctl["net/../vm/swappiness"]: is not the name of a sysctl',
  ],
  [
    { linux: { namespaces: [], sysctl: { 'net.core.somaxconn': '1' } } },
    'linux.sysctl["net.core.somaxconn"]: needs a network namespace in linux.namespaces',
  ],
  [
    { linux: { namespaces: [], sysctl: { 'kernel.shmmax': '1' } } },
    'linux.sysctl["kernel.shmmax"]: needs an ipc namespace in linux.namespaces',
  ],
  [
    { linux: { sysctl: { 'kernel.hostname': 'a' } } },
    'linux.sysctl["kernel.hostname"]: cannot be set here; use hostname',
  ],
  [
    { domainname: 'a', linux: { sysctl: { 'kernel.domainname': 'a' } } },
    'linux.sysctl["kernel.domainname"]: conflicts with domainname',
  ],
  [
    { linux: { sysctl: { 'net.core.somaxconn': '1', 'net/core/somaxconn': '2' } } },
    'linux.sysctl["net/core/somaxconn"]: is the same sysctl as "net.core.somaxconn"',
  ],
  // Devices
  [
    { linux: { devices: [{ type: 'c', path: 'dev/x', major: 1, minor: 3 }] } },
    'linux.devices[0].path: must be an absolute path, got "dev/x"',
  ],
  [
    { linux: { devices: [{ type: 'c', path: '/dev/x', major: 1 }] } },
    'linux.devices[0].minor: is required for a device of type "c"',
  ],
  [
    { linux: { devices: [{ type: 'b', path: '/dev/x', major: 4096, minor: 0 }] } },
    'linux.devices[0].major: must be 0 to 4095, got 4096',
  ],
  [
    {
      linux: {
        devices: [
          { type: 'p', path: '/dev/x' },
          { type: 'p', path: '/dev//x' },
        ],
      },
    },
    'linux.devices[1].path: repeats "/dev//x"',
  ],
  [
    { linux: { devices: [{ type: 'p', path: '/dev/x', fileMode: 65536 }] } },
    'linux.devices[0].fileMode: is not a file mode: 65536',
  ],
  [
    { linux: { resources: { devices: [{ allow: true, type: 'u', access: 'rx' }] } } },
    'linux.resources.devices[0].type: must be "a", "b" or "c", got "u"',
    'linux.resources.devices[0].access: must be made of "r", "w" and "m", got "rx"',
  ],
  // Resources
  [
    { linux: { resources: { memory: { limit: -2 } } } },
    'linux.resources.memory.limit: must be -1 (no limit) or more, got -2',
  ],
  [
    { linux: { resources: { memory: { limit: 100, swap: 50 } } } },
    'linux.resources.memory.swap: limits memory and swap together: must be at least the memory limit 100, got 50',
  ],
  [
    { linux: { resources: { memory: { swap: 50 } } } },
    'linux.resources.memory.swap: needs a memory limit: it limits memory and swap together',
  ],
  [
    { linux: { resources: { cpu: { shares: 262145 } } } },
    'linux.resources.cpu.shares: must be at most 262144, got 262145',
  ],
  [
    { linux: { resources: { cpu: { quota: 999 } } } },
    'linux.resources.cpu.quota: must be -1 (no limit) or at least 1000 microseconds, got 999',
  ],
  [
    { linux: { resources: { cpu: { period: 2000000 } } } },
    'linux.resources.cpu.period: must be 1000 to 1000000 microseconds, got 2000000',
  ],
  [
    { linux: { resources: { cpu: { quota: 1000, burst: 1001 } } } },
    'linux.resources.cpu.burst: must not exceed the quota 1000, got 1001',
  ],
  [
    { linux: { resources: { cpu: { cpus: '3-1', mems: 'a' } } } },
    'linux.resources.cpu.cpus: must be a list such as "0-3,7", got "3-1"',
    'linux.resources.cpu.mems: must be a list such as "0-3,7", got "a"',
  ],
  [
    { linux: { resources: { pids: { limit: -2 } } } },
    'linux.resources.pids.limit: must be -1 (no limit) or more, got -2',
  ],
  [
    { linux: { resources: { blockIO: { weight: 9, leafWeight: 1001 } } } },
    'linux.resources.blockIO.weight: must be 10 to 1000, got 9',
    'linux.resources.blockIO.leafWeight: must be 10 to 1000, got 1001',
  ],
  [
    { linux: { resources: { blockIO: { weightDevice: [{ major: 8, minor: 0 }] } } } },
    'linux.resources.blockIO.weightDevice[0]: must have weight or leafWeight',
  ],
  [
    { linux: { resources: { hugepageLimits: [{ pageSize: '2M', limit: 0 }] } } },
    'linux.resources.hugepageLimits[0].pageSize: must be a size such as "2MB", got "2M"',
  ],
  [
    { linux: { resources: { rdma: { mlx5: {} } } } },
    'linux.resources.rdma.mlx5: must have hcaHandles or hcaObjects',
  ],
  [
    { linux: { resources: { unified: { '../cgroup.procs': '1' } } } },
    'linux.resources.unified["../cgroup.procs"]: must be a file name of the form controller.name',
  ],
  [
    { linux: { resources: { unified: { 'cgroup.procs': '1' } } } },
    'linux.resources.unified["cgroup.procs"]: is managed by the runtime',
  ],
  [{ linux: { cgroupsPath: '/a/../b' } }, 'linux.cgroupsPath: must not contain "..", got "/a/../b"'],
  [{ linux: { cgroupsPath: 'a:b:..' } }, 'linux.cgroupsPath: must not contain "..", got "a:b:.."'],
  // Seccomp
  [
    { linux: { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 1 } } },
    'linux.seccomp.defaultErrnoRet: is not for SCMP_ACT_ALLOW, only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE',
  ],
  [
    { linux: { seccomp: { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 4096 } } },
    'linux.seccomp.defaultErrnoRet: must be at most 4095, got 4096',
  ],
  [
    { linux: { seccomp: { defaultAction: 'SCMP_ACT_NOTIFY' } } },
    'linux.seccomp.defaultAction: must not be SCMP_ACT_NOTIFY: nobody could answer the first call',
  ],
  [
    { linux: { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', listenerMetadata: 'x' } } },
    'linux.seccomp.listenerMetadata: needs listenerPath',
  ],
  [
    {
      linux: {
        seccomp: {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['read'], action: 'SCMP_ACT_NOTIFY' }],
        },
      },
    },
    'linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath',
  ],
  [
    { linux: { personality: { domain: 'LINUX', flags: ['X'] } } },
    'linux.personality.flags: must be empty: the specification defines no flags',
  ],
  [{ annotations: { '': 'x' } }, 'annotations: must not have an empty name'],
  // Scheduling
  [
    { process: { scheduler: { policy: 'SCHED_OTHER', nice: 20 } } },
    'process.scheduler.nice: must be -20 to 19, got 20',
  ],
  [
    { process: { scheduler: { policy: 'SCHED_FIFO' } } },
    'process.scheduler.priority: must be 1 to 99 for SCHED_FIFO, got 0',
  ],
  [
    { process: { scheduler: { policy: 'SCHED_BATCH', priority: 1 } } },
    'process.scheduler.priority: is for SCHED_FIFO and SCHED_RR, not for SCHED_BATCH',
  ],
  [
    { process: { scheduler: { policy: 'SCHED_RR', priority: 1, runtime: 1 } } },
    'process.scheduler.runtime: is for SCHED_DEADLINE, not for SCHED_RR',
  ],
  [
    { process: { scheduler: { policy: 'SCHED_DEADLINE', runtime: 5000, deadline: 4000, period: 3000 } } },
    'process.scheduler.deadline: must be at least the runtime 5000, got 4000',
    'process.scheduler.period: must be at least the deadline 4000, got 3000',
  ],
  [
    { process: { execCPUAffinity: { initial: '0-', final: 'x' } } },
    'process.execCPUAffinity.initial: must be a list such as "0-3,7", got "0-"',
    'process.execCPUAffinity.final: must be a list such as "0-3,7", got "x"',
  ],
  [{ linux: { memoryPolicy: { mode: 'MPOL_BIND' } } }, 'linux.memoryPolicy.nodes: is required for MPOL_BIND'],
  [
    { linux: { memoryPolicy: { mode: 'MPOL_LOCAL', nodes: '0' } } },
    'linux.memoryPolicy.nodes: must be empty for MPOL_LOCAL, got "0"',
  ],
  [
    {
      linux: {
        memoryPolicy: {
          mode: 'MPOL_BIND',
          nodes: '0,',
          flags: ['MPOL_F_STATIC_NODES', 'MPOL_F_RELATIVE_NODES'],
        },
      },
    },
    'linux.memoryPolicy.nodes: must be a list such as "0-3,7", got "0,"',
    'linux.memoryPolicy.flags: must not have both MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES',
  ],
  [
    {
      linux: {
        namespaces: [{ type: 'mount' }, { type: 'time', path: '/proc/1/ns/time' }],
        timeOffsets: { boottime: { secs: 1 } },
      },
    },
    'linux.timeOffsets: is for a new time namespace: one that is joined has its own',
  ],
  // What the host lends
  [
    { linux: { netDevices: { 'a/b': {}, a: { name: 'b' }, b: {}, c: { name: 'x y' }, d: { name: 'e%d' } } } },
    'linux.netDevices["a/b"]: is not the name of a network device: "a/b"',
    'linux.netDevices["b"]: gets the same name as "a": "b"',
    'linux.netDevices["c"].name: is not a name for a network device: "x y"',
  ],
  [
    { linux: { namespaces: [{ type: 'mount' }], netDevices: { a: {} } } },
    'linux.netDevices: needs a network namespace in linux.namespaces',
  ],
  [
    {
      linux: {
        intelRdt: { closID: '../x', l3CacheSchema: 'MB:0=1', memBwSchema: 'MB:0=1\n', schemata: [''] },
      },
    },
    'linux.intelRdt.closID: must be "/" or the name of a directory, got "../x"',
    'linux.intelRdt.l3CacheSchema: must be one line that starts with "L3:", got "MB:0=1"',
    'linux.intelRdt.memBwSchema: must be one line that starts with "MB:", got "MB:0=1\\n"',
    'linux.intelRdt.schemata[0]: must be one line, got ""',
  ],
  // Mounts with other ids
  [
    { mounts: [{ destination: '/a', source: '/b', options: ['bind', 'idmap'] }] },
    'mounts[0].options[1]: "idmap" needs uidMappings and gidMappings, or a user namespace',
  ],
  [
    { mounts: [{ destination: '/a', type: 'tmpfs', options: ['ridmap'] }] },
    'mounts[0].options[0]: is for bind mounts only',
  ],
  [
    {
      mounts: [
        {
          destination: '/a',
          source: '/b',
          options: ['rbind'],
          uidMappings: [{ ...mapping, size: 0 }],
          gidMappings: [mapping, mapping],
        },
      ],
    },
    'mounts[0].uidMappings[0].size: must be greater than zero, got 0',
    'mounts[0].gidMappings[1].containerID: overlaps another entry, got 0',
    'mounts[0].gidMappings[1].hostID: overlaps another entry, got 1000',
  ],
];

const BAD_WORKERS: readonly Row[] = [
  [{ turf: { runtime: 'node' } }, 'turf.runtime: must be "aworker"; got "node"'],
  [
    { turf: { runtime: null }, root: { path: 'x' }, process: { cwd: '/', args: ['aworker'] } },
    'turf.runtime: is required beside other members of turf: must be "aworker"',
  ],
  [
    { turf: { code: '../x' } },
    'turf.code: must be a directory in the bundle (relative) or in the root file system (absolute), without "..", got "../x"',
  ],
  [{ turf: { code: null } }, 'turf.code: is required without turf.seed and turf.from'],
  [{ turf: { seed: false } }, 'turf.seed: must be true or {"mode": "runtime" | "userland"}, got false'],
  [
    { turf: { seed: { mode: 'x' } } },
    'turf.seed: must be true or {"mode": "runtime" | "userland"}, got an object',
  ],
  [{ turf: { code: null, seed: { mode: 'userland' } } }, 'turf.code: is required for a userland seed'],
  [
    { turf: { seed: { mode: 'runtime' }, from: 's' } },
    'turf.from: conflicts with a runtime seed: what is cloned from one loads code',
  ],
  [{ turf: { seed: true, from: '.s' } }, 'turf.from: must not start with a dot, got ".s"'],
  [{ turf: { seed: true, listen: 'tcp:a:1' } }, 'turf.listen: conflicts with turf.seed: its workers listen'],
  [
    { turf: { from: '../s' } },
    'turf.from: must be made of letters, digits, "_", "+", "-" and ".", got "../s"',
  ],
  [{ turf: { from: '.s' } }, 'turf.from: must not start with a dot, got ".s"'],
  [
    { turf: { listen: 'unix:x' } },
    'turf.listen: must be unix:PATH (absolute) or tcp:HOST:PORT, got "unix:x"',
  ],
  [
    { turf: { listen: 'tcp:h:65536' } },
    'turf.listen: must be unix:PATH (absolute) or tcp:HOST:PORT, got "tcp:h:65536"',
  ],
  [{ turf: { network: 'bridge' } }, 'turf.network: must be one of "none", "host"; got "bridge"'],
  [
    { turf: { limits: { requestsMs: 1 } } },
    'turf.limits.requestsMs: is no limit: must be requestMs, cpuMs, bodyBytes, headerBytes, headersMs, receiveMs, keepAliveMs, messageBytes, backlogBytes, pingMs, startMs, graceMs, turnMs, heapBytes, got 1',
  ],
  [
    { turf: { limits: { requestMs: 1.5 } } },
    'turf.limits.requestMs: must be an integer from 0 to 9007199254740991, got 1.5',
  ],
  [
    { turf: { limits: { turnMs: 2 ** 31 } } },
    'turf.limits.turnMs: must be a whole number from 0 to 2147483647, got 2147483648',
  ],
  [{ turf: { limits: 7 } }, 'turf.limits: must be an object, got 7'],
  [
    { turf: { from: 's', limits: { heapBytes: 1 } } },
    "turf.limits.heapBytes: conflicts with turf.from: a clone has its seed's heap",
  ],
  [
    { turf: { nodeModules: ['node:fs', 'fs'] } },
    'turf.nodeModules[1]: must be a module of Node.js as node:NAME, got "fs"',
  ],
  [
    { turf: { nodeModules: ['node:nothing'] } },
    'turf.nodeModules[0]: must be a module of Node.js as node:NAME, got "node:nothing"',
  ],
  [
    { annotations: { 'dev.turf.limits': '{"turnMs":"1"}' } },
    'annotations["dev.turf.limits"].turnMs: must be a whole number from 0 to 2147483647, got "1"',
  ],
  [
    { annotations: { 'dev.turf.limits': 'turnMs=1' } },
    'annotations["dev.turf.limits"]: must be a JSON object of limits, got "turnMs=1"',
  ],
  [
    { annotations: { 'dev.turf.nodeModules': 'node:fs,node:x' } },
    'annotations["dev.turf.nodeModules"][1]: must be a module of Node.js as node:NAME, got "node:x"',
  ],
  [
    { process: { cwd: '/', args: ['node'] } },
    'process.args[0]: must be "aworker" with turf.runtime "aworker", got "node"',
  ],
  [
    { annotations: { 'dev.turf.seed': 'yes' } },
    'annotations["dev.turf.seed"]: must be "true", "runtime" or "userland", got "yes"',
  ],
  [
    { annotations: { 'dev.turf.colour': 'red' } },
    'annotations["dev.turf.colour"]: is no annotation that turf knows',
  ],
  [
    { annotations: { 'dev.turf.code': 'other' } },
    'annotations["dev.turf.code"]: conflicts with turf.code, got "other"',
  ],
  [
    { annotations: { 'dev.turf.listen': 'x' } },
    'annotations["dev.turf.listen"]: must be unix:PATH (absolute) or tcp:HOST:PORT, got "x"',
  ],
  [{ linux: { maskedPaths: ['x'] } }, 'linux.maskedPaths[0]: must be an absolute path, got "x"'],
];

for (const [base, rows] of [
  [CONTAINER, BAD],
  [WORKER, BAD_WORKERS],
] as const) {
  for (const [patch, ...messages] of rows) {
    void t.test(`refused: ${messages.join('; ')}`, (t) => {
      const error = configError(JSON.stringify(patched(base, patch)));
      t.equal(error.message, messages.join('\n'));
      t.equal(error.code, 'TURF_ERR_CONFIG');
      t.equal(error.issues.length, messages.length);
      t.end();
    });
  }
}

void t.test('there are at least 60 of them', (t) => {
  t.ok(BAD.length + BAD_WORKERS.length >= 60);
  t.end();
});

function configError(text: string): ConfigError {
  try {
    parseConfig(text);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the config was accepted');
}
