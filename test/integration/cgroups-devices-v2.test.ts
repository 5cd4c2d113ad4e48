import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { detectLayout } from '../../daemon/cgroups/layout.js';
import { applyV2Devices } from '../../daemon/cgroups/v2.js';
import { loadDeviceFilter } from '../../native-shim/device-filter.js';
import type { OciDeviceRule } from '../../oci-spec/config.js';

const layout = detectLayout();
const root = layout.mode === 'v2' ? layout.root : layout.unified;
const skip =
  process.getuid?.() !== 0 ? 'needs root' : root === undefined ? 'no cgroup v2 hierarchy is mounted' : false;

/** Which of the probes can be opened in a cgroup with that policy. */
function usable(name: string, rules: readonly OciDeviceRule[]): string[] {
  const directory = join(root ?? '', `turf-test-${process.pid}-${name}`);
  mkdirSync(directory);
  try {
    applyV2Devices(directory, rules, loadDeviceFilter());
    const script = `echo $$ > "$0/cgroup.procs"
      (: < /dev/null) 2>/dev/null && echo null-r
      (: > /dev/null) 2>/dev/null && echo null-w
      (: < /dev/kmsg) 2>/dev/null && echo kmsg-r
      (: >> /dev/kmsg) 2>/dev/null && echo kmsg-w
      (: < /dev/zero) 2>/dev/null && echo zero-r
      mknod "$1" c 1 11 2>/dev/null && echo kmsg-m
      exit 0`;
    const node = join('/dev', `turf-test-${process.pid}`);
    const { stdout } = spawnSync('sh', ['-c', script, directory, node], { encoding: 'utf8' });
    if (existsSync(node)) spawnSync('rm', [node]);
    return stdout.trim().split('\n');
  } finally {
    rmdirSync(directory);
  }
}

const kmsg = { type: 'c', major: 1, minor: 11 };

void t.test('device programs decide what a v2 cgroup may open', { skip }, (test) => {
  const defaults = ['null-r', 'null-w', 'zero-r', 'kmsg-m'];
  test.same(usable('defaults', []), defaults);
  test.same(usable('deny-all-first', [{ allow: false, access: 'rwm' }]), defaults);
  test.same(usable('read', [{ allow: true, ...kmsg, access: 'r' }]), [
    'null-r',
    'null-w',
    'kmsg-r',
    'zero-r',
    'kmsg-m',
  ]);
  test.same(
    usable('two-rules', [
      { allow: true, ...kmsg, access: 'r' },
      { allow: true, ...kmsg, access: 'w' },
    ]),
    ['null-r', 'null-w', 'kmsg-r', 'kmsg-w', 'zero-r', 'kmsg-m'],
  );
  test.same(usable('all', [{ allow: true, access: 'rwm' }]), [
    'null-r',
    'null-w',
    'kmsg-r',
    'kmsg-w',
    'zero-r',
    'kmsg-m',
  ]);
  test.same(
    usable('all-but', [
      { allow: true, type: 'a' },
      { allow: false, ...kmsg, access: 'w' },
    ]),
    ['null-r', 'null-w', 'kmsg-r', 'zero-r', 'kmsg-m'],
  );
  test.end();
});
