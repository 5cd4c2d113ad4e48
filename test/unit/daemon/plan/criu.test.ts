import t from 'tap';
import { compileCriuPlan } from '../../../../daemon/plan/criu.js';
import { decodePlan } from './decode-plan.js';

void t.test(
  'CRIU runs in the cgroups of the container, and in a mount namespace where its root is a mount',
  (t) => {
    const plan = compileCriuPlan({
      rootfs: '/b/rootfs',
      enterFds: [30, 31],
      args: ['/usr/sbin/criu', 'restore'],
      env: ['PATH=/bin'],
      adopt: [{ fd: 32, number: 10 }],
    });
    const { ops } = decodePlan(plan.bytes);
    t.same(
      ops.map(({ op }) => op),
      [
        ...[
          'SYNC',
          'ENTER_CGROUP',
          'ENTER_CGROUP',
          'UNSHARE',
          'PROPAGATION',
          'ROOTFS',
          'MOUNT_BIND',
          'PIVOT_ROOT',
        ],
        ...['CLOSE_FDS', 'CHDIR', 'FIND_PROGRAM', 'ADOPT_FD', 'EXEC'],
      ],
    );
    t.match(ops.find(({ op }) => op === 'MOUNT_BIND')?.fields, { source: '/b/rootfs', target: '/b/rootfs' });
    t.same(plan.fds, [30, 31, 32]);
    t.end();
  },
);
