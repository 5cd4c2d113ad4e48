import { existsSync } from 'node:fs';
import { type UpdateOptions } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type OciResources } from '../../oci-spec/config.js';
import { type Machine } from '../machine.js';
import { type Container } from './container.js';
import { effectiveResources } from './effective-resources.js';

type PlainResources = Readonly<Record<string, unknown>>;

/**
 * Changes the limits of a container that has not ended: all of them, or none where one is refused. What is absent stays as it is; so
 * do device rules, as with runc. The changes are kept in state.json.
 *
 * @throws TurfError TURF_ERR_STATE, TURF_ERR_UNSUPPORTED, or TURF_ERR_CGROUP naming the field
 */
export async function updateContainer(
  machine: Machine,
  container: Container,
  options: UpdateOptions,
): Promise<void> {
  const { id, cgroup, facts, lifecycle } = container;
  if (lifecycle.state === 'stopped' || cgroup === undefined) {
    throw new TurfError('TURF_ERR_STATE', `cannot update ${id}: container not running`, {
      operation: `update ${id}`,
    });
  }
  refuseRdt(options);
  const resources = effectiveResources(facts.ociVersion, options.resources);
  if (resources.devices !== undefined)
    machine.log.debug({ id }, 'update leaves linux.resources.devices as they are');
  const undo = await cgroup.update(resources);
  const before = facts;
  try {
    machine.store.writeFacts(container.learn({ resources: merge(facts.resources, resources) }));
  } catch (error) {
    container.learn(before);
    await undo();
    throw error;
  }
  machine.log.info({ id }, 'container updated');
  machine.events.publish({ type: 'update', id });
}

function refuseRdt({ l3CacheSchema, memBwSchema }: UpdateOptions): void {
  for (const [flag, value] of [
    ['--l3-cache-schema', l3CacheSchema],
    ['--mem-bw-schema', memBwSchema],
  ] as const) {
    if (value === undefined) continue;
    const why = existsSync('/sys/fs/resctrl/schemata')
      ? 'the container has no linux.intelRdt'
      : 'needs Intel RDT: /sys/fs/resctrl is not mounted on this machine';
    throw new TurfError('TURF_ERR_UNSUPPORTED', `${flag}: ${why}`, { path: flag });
  }
}

/** What updates have set so far, for people to read: numbers beyond 2^53 are rounded. */
function merge(before: PlainResources | undefined, changes: OciResources): PlainResources {
  const merged: Record<string, unknown> = { ...before };
  for (const [name, value] of Object.entries(changes)) {
    if (name === 'devices') continue;
    const old = merged[name];
    merged[name] = plain(isRecord(old) && isRecord(value) ? { ...old, ...value } : value);
  }
  return merged;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function plain(value: unknown): unknown {
  const text = JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'bigint' ? Number(member) : member,
  );
  return JSON.parse(text) as unknown;
}
