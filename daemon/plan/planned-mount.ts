import type { OciMount } from '../../oci-spec/config.js';
import { type ParsedMountOptions, parseMountOptions } from '../../oci-spec/parse-mount-options.js';
import { containerPath } from './container-path.js';
import type { PlanBuilder } from './encode.js';
import { MS_REC } from './opcodes.js';

/** An entry of config.mounts as the parts of the compiler hand it around. */
export interface PlannedMount {
  readonly label: string;
  readonly index: number;
  readonly mount: OciMount;
  /** In the container, absolute. */
  readonly target: string;
  readonly options: ParsedMountOptions;
  readonly bind: false | 'bind' | 'rbind';
  /** MS_* with MS_REC, in the order to apply them. */
  readonly propagations: readonly number[];
}

export function planMount(mount: OciMount, index: number): PlannedMount {
  const options = parseMountOptions(mount.options);
  return {
    label: `mounts[${index}]`,
    index,
    mount,
    target: containerPath(mount.destination),
    options,
    bind: bindKind(mount, options),
    propagations: options.propagation.map(({ flag, recursive }) => flag | (recursive ? MS_REC : 0)),
  };
}

/** A bind mount is one by its options or by its type (runtime-spec config.md "Mounts"). */
export function bindKind(
  mount: OciMount,
  options: ParsedMountOptions = parseMountOptions(mount.options),
): PlannedMount['bind'] {
  return options.bind === false && mount.type === 'bind' ? 'bind' : options.bind;
}

/** A mount operation sets one propagation; what follows takes operations of its own. */
export function splitPropagation({ propagations }: PlannedMount): {
  first: number;
  others: readonly number[];
} {
  const [first = 0, ...others] = propagations;
  return { first, others };
}

/** Sets each propagation in turn: "slave" then "shared" is another thing than either. */
export function changePropagation(
  plan: PlanBuilder,
  { label, target }: PlannedMount,
  propagations: readonly number[],
): void {
  for (const propagation of propagations) {
    plan.mountSetattr(label, {
      target,
      propagation: propagation & ~MS_REC,
      recursive: (propagation & MS_REC) !== 0,
    });
  }
}
