import { type UpdateOptions } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type OciIntelRdt, type OciResources } from '../../oci-spec/config.js';
import { type Machine } from '../machine.js';
import { type Container } from './container.js';
import { effectiveResources } from './effective-resources.js';
import { resctrlRoot } from './intel-rdt.js';
import { storedConfig } from './stored-config.js';
import { UndoStack } from './undo.js';
import { updateIntelRdt } from './update-rdt.js';

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
  const resources = effectiveResources(facts.ociVersion, options.resources);
  if (resources.devices !== undefined)
    machine.log.debug({ id }, 'update leaves linux.resources.devices as they are');
  const pid = facts.process?.pid ?? 0;
  const rdt = updateIntelRdt(resctrlRoot, intelRdtOf(machine, id, options), { id, pid }, options);
  const undo = new UndoStack();
  undo.push('class of service', () => rdt.undo());
  try {
    undo.push('limits', await cgroup.update(resources));
    undo.push('facts', () => void container.learn(facts));
    const learned = { resources: merge(facts.resources, resources), ...(rdt.facts && { rdt: rdt.facts }) };
    machine.store.writeFacts(container.learn(learned));
  } catch (error) {
    for (const err of await undo.unwind()) machine.log.error({ id, err }, 'could not undo a failed update');
    throw error;
  }
  machine.log.info({ id }, 'container updated');
  machine.events.publish({ type: 'update', id });
}

/** Read only where it is needed. */
function intelRdtOf(
  machine: Machine,
  id: string,
  { l3CacheSchema, memBwSchema }: UpdateOptions,
): OciIntelRdt | undefined {
  if (l3CacheSchema === undefined && memBwSchema === undefined) return undefined;
  return storedConfig(machine.store, id).linux?.intelRdt;
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
