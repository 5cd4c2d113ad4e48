import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import t from 'tap';

import { defaultConfig, defaultWorkerConfig, rootlessConfig } from '../../../oci-spec/default-config.js';
import { parseConfig, validateConfig } from '../../../oci-spec/parse.js';
import { readTurfMember } from '../../../oci-spec/turf-member.js';

const runc = spawnSync('runc', ['--version']);
const skip = runc.status === 0 ? false : 'runc is not installed';

for (const [flags, ours] of [
  [[], defaultConfig()],
  [['--rootless'], rootlessConfig(process.getuid?.() ?? 0, process.getgid?.() ?? 0)],
] as const) {
  void t.test(`the default is what runc spec ${flags.join(' ')} prints, but for the name`, { skip }, (t) => {
    const bundle = t.testdir();
    t.equal(spawnSync('runc', ['spec', ...flags], { cwd: bundle }).status, 0);
    const theirs = parseConfig(readFileSync(join(bundle, 'config.json'), 'utf8'));
    const { linux = {}, ...rest } = theirs;
    const { linux: ourLinux = {}, ...ourRest } = ours;
    t.strictSame(ourRest, { ...rest, hostname: 'turf', ociVersion: ours.ociVersion });
    // The list of masked paths grows with runc's version.
    const { maskedPaths, ...others } = linux;
    const { maskedPaths: ourMasked, ...ourOthers } = ourLinux;
    t.strictSame(ourOthers, others);
    t.ok(ourMasked?.every((path) => maskedPaths?.includes(path)));
    t.end();
  });
}

void t.test('the default worker serves the code directory of its bundle', (t) => {
  t.match(readTurfMember(validateConfig(defaultWorkerConfig())), { kind: 'aworker', code: 'code' });
  t.end();
});
