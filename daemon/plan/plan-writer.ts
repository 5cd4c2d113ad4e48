import { TurfError } from '../../cli/turf-error.js';
import { ByteWriter } from './byte-writer.js';
import type { FdIndex } from './op-fields.js';
import { PLAN_MAGIC, PLAN_MAX_FDS, PLAN_VERSION } from './opcodes.js';

const HEADER_LENGTH = 20;

/** Who closes a descriptor of the plan once the plan was handed over (or given up). */
export type FdOwner = 'plan' | 'caller';

export interface EncodedPlan {
  readonly bytes: Buffer;
  /** Descriptors in index order; they travel with the plan. */
  readonly fds: number[];
  /** Those of `fds` that were given away to the plan: whoever launches it closes them afterwards. */
  readonly ownedFds: number[];
  /** Per operation, the field of config.json that asked for it. */
  readonly labels: string[];
}

/** The frame of a plan (native-shim/plan/plan.h): header, descriptors, one operation after the other. */
export class PlanWriter {
  readonly #writer = new ByteWriter(8192);
  readonly #fds: number[] = [];
  readonly #owned: number[] = [];
  readonly #labels: string[] = [];

  constructor() {
    this.#writer.u32(PLAN_MAGIC).u32(PLAN_VERSION).u32(0).u32(0).u32(0);
  }

  /** Number of operations so far. */
  get length(): number {
    return this.#labels.length;
  }

  /** Adds a descriptor (once: the same number gives the same index) and returns its index in the plan. */
  addFd(fd: number, owner: FdOwner = 'caller'): FdIndex {
    const known = this.#fds.indexOf(fd);
    if (owner === 'plan' && !this.#owned.includes(fd)) this.#owned.push(fd);
    if (known !== -1) return known;
    if (this.#fds.length === PLAN_MAX_FDS) {
      throw new TurfError('TURF_ERR_CONFIG', `a launch plan carries at most ${PLAN_MAX_FDS} descriptors`);
    }
    this.#fds.push(fd);
    return this.#fds.length - 1;
  }

  /** The plan, with its header filled in. The builder is not used afterwards. */
  finish(): EncodedPlan {
    this.#writer.patchU32(8, this.#writer.length);
    this.#writer.patchU32(12, this.#labels.length);
    this.#writer.patchU32(HEADER_LENGTH - 4, this.#fds.length);
    return { bytes: this.#writer.toBuffer(), fds: this.#fds, ownedFds: this.#owned, labels: this.#labels };
  }

  protected op(opcode: number, label: string, write?: (writer: ByteWriter) => unknown): this {
    const at = this.#writer.u16(opcode).u16(0).u32(0).length;
    try {
      write?.(this.#writer);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new TurfError('TURF_ERR_CONFIG', `${label}: ${cause.message}`, { path: label, cause });
    }
    this.#writer.patchU32(at - 4, this.#writer.length - at);
    this.#labels.push(label);
    return this;
  }

  protected fd(index: FdIndex): FdIndex {
    if (!Number.isInteger(index) || index < -1 || index >= this.#fds.length) {
      throw new RangeError(`descriptor index ${index} is not in the plan`);
    }
    return index;
  }
}
