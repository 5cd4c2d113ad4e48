import { cloneSymbols } from '../engine/engine-internals.js';
import { cloneAs } from '../engine/structured-clones.js';
import { isCallable } from './interface.js';

const KIND = 'internal/aworker:File';

interface Facts {
  readonly name: unknown;
  readonly lastModified: unknown;
}

/** Up to Node.js 22 the clone of a File is a Blob: makes it a File (File API, 4: serialization steps). */
export function correctFileClones(): void {
  const { clone, deserialize } = cloneSymbols();
  const { prototype } = File;
  if (Object.hasOwn(prototype, clone)) return;
  const asBlob: unknown = Reflect.get(Blob.prototype, clone);
  const fillBlob: unknown = Reflect.get(Blob.prototype, deserialize);
  if (!isCallable(asBlob) || !isCallable(fillBlob)) throw new Error('This Node.js does not clone a Blob');
  const facts = new WeakMap<object, Facts>();
  for (const name of ['name', 'lastModified'] as const) {
    const { get } = Object.getOwnPropertyDescriptor(prototype, name) ?? {};
    if (!isCallable(get)) continue;
    const own = {
      get [name](): unknown {
        return facts.get(this)?.[name] ?? (Reflect.apply(get, this, []) as unknown);
      },
    };
    const known = Object.getOwnPropertyDescriptor(own, name);
    if (known !== undefined) Object.defineProperty(prototype, name, { ...known, enumerable: true });
  }
  const methods = {
    [clone](this: File): object {
      const { data } = Reflect.apply(asBlob, this, []) as { readonly data: object };
      return { data: { data, name: this.name, lastModified: this.lastModified }, deserializeInfo: KIND };
    },
    [deserialize](this: object, { data, name, lastModified }: Facts & { readonly data: unknown }): void {
      Reflect.apply(fillBlob, this, [data]);
      facts.set(this, { name, lastModified });
    },
  };
  for (const symbol of [clone, deserialize])
    Object.defineProperty(prototype, symbol, { value: methods[symbol], configurable: true });
  cloneAs(KIND, () => new File([], ''));
}
