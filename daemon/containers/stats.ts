import { readFileSync, readlinkSync } from 'node:fs';
import { TurfError } from '../../cli/turf-error.js';
import { type JsonObject, type JsonValue } from '../../oci-spec/json.js';
import { cgroupUsage } from '../cgroups/usage.js';
import { type Container } from './container.js';

/**
 * What a container uses, in the schema of `runc events --stats`.
 *
 * @throws TurfError TURF_ERR_STATE where it has ended
 */
export function containerStats(container: Container): JsonObject {
  const { id, cgroup, facts, lifecycle } = container;
  if (lifecycle.state === 'stopped' || cgroup === undefined) {
    throw new TurfError('TURF_ERR_STATE', `container with id ${id} is not running`, {
      operation: `stats ${id}`,
    });
  }
  const pid = facts.process?.pid;
  return {
    ...cgroupUsage(cgroup.describe()),
    intel_rdt: {},
    network_interfaces: pid === undefined ? null : interfaces(pid),
  };
}

/** Columns of /proc/PID/net/dev behind the name: eight of receiving, eight of sending. */
const COLUMNS = {
  RxBytes: 0,
  RxPackets: 1,
  RxErrors: 2,
  RxDropped: 3,
  TxBytes: 8,
  TxPackets: 9,
  TxErrors: 10,
  TxDropped: 11,
} as const;

/** The interfaces of a network namespace other than the host's, without the loopback; null where there are none. */
function interfaces(pid: number): JsonValue {
  let text: string;
  try {
    if (readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net')) return null;
    text = readFileSync(`/proc/${pid}/net/dev`, 'latin1');
  } catch {
    // It ended meanwhile: what its cgroup says is still true.
    return null;
  }
  const list = text.split('\n').flatMap((line) => {
    const [, name = '', rest = ''] = /^\s*([^\s:]+):\s*(.*)$/.exec(line) ?? [];
    if (name === '' || name === 'lo') return [];
    const numbers = rest.split(/\s+/).map(BigInt);
    const counters = Object.entries(COLUMNS).map(([key, column]) => [key, numbers[column] ?? 0n] as const);
    return [{ Name: name, ...Object.fromEntries(counters) }];
  });
  return list.length === 0 ? null : list;
}
