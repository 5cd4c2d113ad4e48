import { conform, requireArguments, toDomString } from './interface.js';

type EventInit = NonNullable<ConstructorParameters<typeof Event>[1]>;

export interface ProgressEventInit extends EventInit {
  readonly lengthComputable?: boolean;
  readonly loaded?: number;
  readonly total?: number;
}

/** Web IDL's `double`. @throws TypeError */
function toDouble(name: string, value: unknown = 0): number {
  const number = Number(value);
  if (!Number.isFinite(number)) throw new TypeError(`ProgressEvent: ${name} is not finite`);
  return number;
}

/** XMLHttpRequest, 5. */
export class ProgressEvent extends Event {
  readonly #lengthComputable: boolean;
  readonly #loaded: number;
  readonly #total: number;

  constructor(type: unknown, init: ProgressEventInit = {}) {
    requireArguments('ProgressEvent', 1, arguments.length);
    super(toDomString(type), init);
    this.#lengthComputable = Boolean(init.lengthComputable);
    this.#loaded = toDouble('loaded', init.loaded);
    this.#total = toDouble('total', init.total);
  }

  get lengthComputable(): boolean {
    return this.#lengthComputable;
  }

  get loaded(): number {
    return this.#loaded;
  }

  get total(): number {
    return this.#total;
  }
}
conform(ProgressEvent);
