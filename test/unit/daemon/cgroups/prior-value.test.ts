import t from 'tap';
import { priorValues } from '../../../../daemon/cgroups/prior-value.js';

for (const [file, content, value, expected] of [
  ['memory.max', '5', '7', ['5']],
  ['memory.limit_in_bytes', '9223372036854771712', '7', ['9223372036854771712']],
  ['memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill 3', '1', ['0']],
  ['cpuset.cpus', '', '0', ['\n']],
  ['cpuset.cpus', '0-1', '0', ['0-1']],
  ['cpu.weight', '0', '100', []],
  ['cpu.max', 'max 100000', '5 10', ['max 100000']],
  [
    'io.max',
    '8:0 rbps=1 wbps=max riops=max wiops=max',
    '8:0 wbps=5',
    ['8:0 rbps=1 wbps=max riops=max wiops=max'],
  ],
  ['io.max', '', '8:0 wbps=5', ['8:0 rbps=max wbps=max riops=max wiops=max']],
  ['io.weight', 'default 100\n8:0 50', '200', ['default 100']],
  ['io.weight', 'default 100\n8:0 50', '8:0 200', ['8:0 50']],
  ['io.weight', 'default 100', '8:16 200', ['8:16 default']],
  ['io.bfq.weight', '100', '200', ['100']],
  ['blkio.throttle.read_bps_device', '8:0 1\n8:16 2', '8:16 9', ['8:16 2']],
  ['blkio.throttle.read_bps_device', '', '8:16 9', ['8:16 0']],
  ['rdma.max', '', 'mlx5_0 hca_handle=3', ['mlx5_0 hca_handle=max hca_object=max']],
  ['net_prio.ifpriomap', 'lo 1\neth0 2', 'eth0 5', ['eth0 2']],
] as const) {
  void t.test(`${file} with ${JSON.stringify(content)} before ${value}`, (test) => {
    test.same(priorValues(`/cgroup/${file}`, content, value), expected);
    test.end();
  });
}
