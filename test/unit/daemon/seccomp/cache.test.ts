import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import t from 'tap';
import { canonicalJson, SeccompCache } from '../../../../daemon/seccomp/cache.js';
import { type Libseccomp, loadLibseccomp } from '../../../../native-shim/libseccomp.js';
import type { OciSeccomp } from '../../../../oci-spec/config.js';
import { runFilter } from './bpf-machine.js';
import { engineProfile } from './engine-profile.js';

const real = loadLibseccomp();

/** Counts how many filters are compiled. */
function counting(): { library: Libseccomp; count: () => number } {
  let filters = 0;
  const library: Libseccomp = {
    ...real,
    newFilter(action) {
      filters++;
      return real.newFilter(action);
    },
  };
  return { library, count: () => filters };
}

function scratch(t: { teardown: (step: () => void) => void }): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'turf-seccomp-'));
  t.teardown(() => {
    rmSync(directory, { recursive: true });
  });
  return directory;
}

await t.test('an engine’s default profile compiles, and means what it says', (t) => {
  const { bpf } = new SeccompCache().compile(engineProfile());
  const run = (name: string, ...args: bigint[]): number =>
    runFilter(bpf, { nr: real.syscallNumber(name) ?? -1, arch: real.nativeArch, args });
  const [allow, eperm, enosys] = [0x7fff0000, 0x00050001, 0x00050026];
  t.equal(run('openat2'), allow);
  t.equal(run('mount'), eperm);
  t.equal(run('clone3'), enosys);
  t.equal(run('clone', 0x11n), allow);
  t.equal(run('clone', 0x10000000n), eperm);
  t.equal(run('socket', 40n), eperm);
  t.equal(run('personality', 8n), allow);
  t.equal(run('personality', 9n), eperm);
  t.end();
});

await t.test('a profile is compiled once', (t) => {
  const { library, count } = counting();
  const cache = new SeccompCache({ load: () => library });
  const first = cache.compile(engineProfile());
  t.equal(cache.compile(engineProfile()), first);
  t.equal(count(), 1);
  t.not(cache.compile({ ...engineProfile(), defaultErrnoRet: 38 }), first);
  t.equal(count(), 2);
  t.end();
});

await t.test('a filter survives in the directory, private to its owner', (t) => {
  const directory = path.join(scratch(t), 'made/when/needed');
  const { library, count } = counting();
  const load = (): Libseccomp => library;
  const profile: OciSeccomp = { ...engineProfile(), flags: ['SECCOMP_FILTER_FLAG_LOG'] };
  const first = new SeccompCache({ directory, load }).compile(profile);
  const second = new SeccompCache({ directory, load }).compile(profile);
  t.same(second, first);
  t.equal(count(), 1);
  t.equal(statSync(directory).mode & 0o777, 0o700);
  t.equal(readdirSync(directory).length, 1, 'nothing temporary is left');
  t.end();
});

await t.test('a damaged file is compiled anew, a directory that cannot be used is done without', (t) => {
  const directory = scratch(t);
  const { library, count } = counting();
  const load = (): Libseccomp => library;
  const { bpf } = new SeccompCache({ directory, load }).compile(engineProfile());
  for (const name of readdirSync(directory)) truncateSync(path.join(directory, name), 13);
  t.same(new SeccompCache({ directory, load }).compile(engineProfile()).bpf, bpf);
  t.equal(count(), 2);
  t.same(new SeccompCache({ directory: '/dev/null/x', load }).compile(engineProfile()).bpf, bpf);
  t.end();
});

await t.test('the order of members does not make another profile, that of elements does', (t) => {
  t.equal(canonicalJson({ b: [{ y: 1n, x: 2 }], a: 1 }), canonicalJson({ a: 1, b: [{ x: 2, y: 1n }] }));
  t.not(canonicalJson({ a: [1, 2] }), canonicalJson({ a: [2, 1] }));
  t.end();
});
