import t, { type Test } from 'tap';

import { TurfError } from '../../cli/turf-error.js';
import { encodeFrame, FrameChannel } from '../../daemon/channel/frame-channel.js';
import { decodeLaunchAnswer } from '../../daemon/channel/launch-request.js';
import { type PayloadReader, PayloadWriter } from '../../daemon/channel/payload.js';
import { planError, read } from '../../daemon/containers/sync.js';
import { compileSeccomp } from '../../daemon/seccomp/compile.js';
import { loadLibseccomp } from '../../native-shim/libseccomp.js';
import { ALL_CAPABILITIES, CAPABILITIES, capabilityMask } from '../../oci-spec/capabilities.js';
import { ConfigError } from '../../oci-spec/config-error.js';
import { MOUNT_OPTIONS } from '../../oci-spec/mount-options.js';
import { parseMountOptions } from '../../oci-spec/parse-mount-options.js';
import { parseConfig } from '../../oci-spec/parse.js';
import { compile } from './daemon/plan/plan-fixture.js';
import { socketPair } from './daemon/channel/socket-pair.js';
import { mutate, Random } from './mutator.js';
import { CONTAINER, type Json, patched, PODMAN, WORKER } from './oci-spec/example-configs.js';

/** TURF_FUZZ_ROUNDS looks further, TURF_FUZZ_SEED looks again at what failed. */
const ROUNDS = Number(process.env['TURF_FUZZ_ROUNDS'] ?? '2000');
const SEED = Number(process.env['TURF_FUZZ_SEED'] ?? '1');
const lib = loadLibseccomp();

/** Runs a step that may refuse its input, but by an error of ours with a message only. @returns whether it went through */
function goesThrough(t: Test, seed: number, input: unknown, step: () => void): boolean {
  try {
    step();
    return true;
  } catch (error) {
    const isOurs = error instanceof ConfigError || error instanceof TurfError;
    if (!isOurs || error.message === '')
      t.fail(`TURF_FUZZ_SEED=${seed}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`, {
        input: JSON.stringify(input).slice(0, 2000),
      });
    return false;
  }
}

/** Several changes, so that one does not hide the next. */
function mutant(random: Random, document: unknown): unknown {
  let changed = document;
  for (let count = 1 + random.below(4); count > 0; count--) changed = mutate(random, changed);
  return changed;
}

function rounds(t: Test, count: number, round: (random: Random, seed: number) => boolean): void {
  let accepted = 0;
  for (let seed = SEED; seed < SEED + count; seed++) accepted += round(new Random(seed), seed) ? 1 : 0;
  t.comment(`${accepted} of ${count} accepted`);
  t.ok(accepted > 0 && accepted < count, 'some inputs are accepted, some refused');
}

void t.test('configs: parsed and compiled, or refused with a reason', (t) => {
  rounds(t, ROUNDS, (random, seed) => {
    const input = mutant(random, random.pick([CONTAINER, PODMAN, WORKER]));
    return goesThrough(t, seed, input, () => {
      const config = parseConfig(JSON.stringify(input));
      if (config.process !== undefined) compile(config, { seccomp: { flags: 0, bpf: Buffer.alloc(8) } });
    });
  });
  t.end();
});

void t.test('texts that are no JSON, or cut, are refused', (t) => {
  const whole = JSON.stringify(CONTAINER);
  rounds(t, ROUNDS / 4, (random, seed) => {
    const bytes = Buffer.from(whole);
    for (let count = random.below(3); count > 0; count--)
      bytes[random.below(bytes.length)] = random.below(256);
    const text =
      random.below(4) === 0 ? bytes.toString().slice(0, random.below(bytes.length)) : bytes.toString();
    return goesThrough(t, seed, text, () => void parseConfig(text));
  });
  t.end();
});

void t.test('mount options: nothing is lost, nothing contradicts itself', (t) => {
  const known = [...MOUNT_OPTIONS.keys()];
  for (let seed = SEED; seed < SEED + ROUNDS; seed++) {
    const random = new Random(seed);
    const options = Array.from({ length: random.below(12) }, () =>
      random.pick([random.pick(known), 'size=1m', 'mode=755', '=', 'x', '==a', 'context="a,b"', '\u0000']),
    );
    goesThrough(t, seed, options, () => {
      const parsed = parseMountOptions(options);
      for (const [set, clear] of [
        [parsed.attrSet, parsed.attrClear],
        [parsed.attrSetRecursive, parsed.attrClearRecursive],
      ] as const)
        if ((set & clear & ~0x70) !== 0) t.fail(`TURF_FUZZ_SEED=${seed}: sets and clears ${set & clear}`);
      const forFileSystem = options.filter((option) => !MOUNT_OPTIONS.has(option));
      if (parsed.data.length !== forFileSystem.length)
        t.fail(`TURF_FUZZ_SEED=${seed}: ${forFileSystem.join()} became ${JSON.stringify(parsed.data)}`);
    });
  }
  t.pass(`${ROUNDS} lists`);
  t.end();
});

void t.test('capabilities: a mask has the bits of the names that are known, and no others', (t) => {
  const known = [...CAPABILITIES.keys()];
  for (let seed = SEED; seed < SEED + ROUNDS; seed++) {
    const random = new Random(seed);
    const names = Array.from({ length: random.below(50) }, () =>
      random.pick([random.pick(known), 'CAP_', 'cap_kill', 'CAP_NEW', '', '__proto__']),
    );
    const wanted = new Set(names.flatMap((name) => CAPABILITIES.get(name) ?? []));
    const mask = capabilityMask(names);
    const bits = [...known.keys()].filter((bit) => (mask >> BigInt(bit)) & 1n);
    if (
      (mask & ~ALL_CAPABILITIES) !== 0n ||
      bits.length !== wanted.size ||
      bits.some((bit) => !wanted.has(bit))
    )
      t.fail(`TURF_FUZZ_SEED=${seed}: ${names.join()} became ${mask}`);
  }
  t.pass(`${ROUNDS} lists`);
  t.end();
});

void t.test('seccomp profiles: compiled to a program, or refused with a reason', (t) => {
  const profile = parseConfig(JSON.stringify(PODMAN)).linux?.seccomp;
  rounds(t, ROUNDS / 2, (random, seed) => {
    const input = patched(CONTAINER, { linux: { seccomp: mutant(random, profile) as Json } });
    return goesThrough(t, seed, input, () => {
      const seccomp = parseConfig(JSON.stringify(input)).linux?.seccomp;
      if (seccomp === undefined) return;
      const { bpf } = compileSeccomp(seccomp, lib);
      if (bpf.length === 0 || bpf.length % 8 !== 0 || bpf.length > 4096 * 8)
        t.fail(`TURF_FUZZ_SEED=${seed}: a program of ${bpf.length} bytes`);
    });
  });
  t.end();
});

/** Bytes that were changed, cut, or made up. */
function spoilt(random: Random, bytes: Buffer): Buffer {
  const changed = Buffer.from(
    random.below(4) === 0 ? Array.from({ length: random.below(64) }, () => random.below(256)) : bytes,
  );
  for (let count = random.below(4); count > 0 && changed.length > 0; count--)
    changed[random.below(changed.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
  return changed.subarray(0, changed.length - (random.below(3) === 0 ? random.below(changed.length + 1) : 0));
}

void t.test('payloads of others: decoded whole, or refused as cut short', (t) => {
  const report = new PayloadWriter().i32(2).u32(1).u32(11).str('mount \u0007 on /\u001b[2J').finish();
  const lists = new PayloadWriter().u32(2).str('a').str('').u64(7n).finish();
  rounds(t, ROUNDS, (random, seed) => {
    const decoders: readonly ((payload: Buffer) => unknown)[] = [
      (payload) => read(payload, () => decodeLaunchAnswer(payload)),
      (payload) => read(payload, (reader: PayloadReader) => [reader.strings(), reader.u64()]),
    ];
    const payload = spoilt(random, random.pick([report, lists]));
    return goesThrough(t, seed, payload.toString('hex'), () => void random.pick(decoders)(payload));
  });
  t.end();
});

void t.test('what a process says went wrong is one printable line of an error', (t) => {
  const report = new PayloadWriter().i32(2).u32(1).u32(11).str('mount \u0007 on /\u001b[2J\n').finish();
  for (let seed = SEED; seed < SEED + ROUNDS; seed++) {
    const payload = spoilt(new Random(seed), report);
    goesThrough(t, seed, payload.toString('hex'), () => {
      const { message } = planError(payload, ['root', 'mounts[0]']);
      if (message === '' || message.length > 3000 || /\p{Cc}/u.test(message))
        t.fail(`TURF_FUZZ_SEED=${seed}: ${JSON.stringify(message)}`);
    });
  }
  t.pass(`${ROUNDS} reports`);
  t.end();
});

void t.test('frames: in order however they are cut, and a spoilt stream ends or waits', async (t) => {
  for (let seed = SEED; seed < SEED + ROUNDS / 40; seed++) {
    const random = new Random(seed);
    const [near, far] = socketPair(t);
    const channel = new FrameChannel(near, 512);
    const sent = Array.from({ length: random.below(8) }, () => Buffer.alloc(random.below(513), seed));
    const whole = Buffer.concat(sent.map((payload) => encodeFrame('O', payload)));
    const isSpoilt = random.below(2) === 0;
    const bytes = isSpoilt ? spoilt(random, whole) : whole;
    for (let at = 0; at < bytes.length;) {
      const size = 1 + random.below(400);
      far.write(bytes.subarray(at, at + size));
      at += size;
    }
    far.end();
    const received: Buffer[] = [];
    for (let frame = await channel.next(); frame !== undefined; frame = await channel.next())
      received.push(frame.payload);
    const good = isSpoilt
      ? received.every((payload) => payload.length <= 512)
      : Buffer.concat(received).equals(Buffer.concat(sent)) && received.length === sent.length;
    if (!good) t.fail(`TURF_FUZZ_SEED=${seed}: ${received.length} of ${sent.length} frames`);
    near.destroy();
    far.destroy();
  }
  t.pass(`${ROUNDS / 40} streams`);
});
