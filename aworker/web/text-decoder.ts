import { isCallable } from './interface.js';

/** Encoding, 9.1: windows-1252 has letters and signs from 0x80 to 0x9F. Node.js 20 decodes it as ISO-8859-1, but in pieces rightly. */
export function correctWindows1252(): void {
  if (new TextDecoder('windows-1252').decode(Uint8Array.of(0x80)) === '€') return;
  const original: unknown = Object.getOwnPropertyDescriptor(TextDecoder.prototype, 'decode')?.value;
  if (!isCallable(original)) return;
  const own = {
    decode(this: unknown, ...args: unknown[]): unknown {
      if (args[1] !== undefined || Reflect.get(TextDecoder.prototype, 'encoding', this) !== 'windows-1252')
        return Reflect.apply(original, this, args);
      const text = Reflect.apply(original, this, [args[0], { stream: true }]);
      return String(text) + String(Reflect.apply(original, this, []));
    },
  };
  Object.defineProperty(own.decode, 'length', { value: original.length, configurable: true });
  Object.defineProperty(TextDecoder.prototype, 'decode', {
    value: own.decode,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
