import type { ContainerState } from './operations.js';

/** A state with its members in runc's order, and turf's own last; empty annotations are left out. */
export function stateJson(state: ContainerState): object {
  const { annotations } = state;
  return {
    ociVersion: state.ociVersion,
    id: state.id,
    pid: state.pid,
    status: state.status,
    bundle: state.bundle,
    rootfs: state.rootfs,
    created: state.created,
    ...(annotations !== undefined && Object.keys(annotations).length > 0 && { annotations }),
    owner: state.owner,
    turf: state.turf,
  };
}
