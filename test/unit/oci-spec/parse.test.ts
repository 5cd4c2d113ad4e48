import t from 'tap';

import { ConfigError } from '../../../oci-spec/config-error.js';
import { defaultConfig, defaultWorkerConfig, rootlessConfig } from '../../../oci-spec/default-config.js';
import { parseConfig, parseProcess, validateConfig } from '../../../oci-spec/parse.js';
import { configWarnings } from '../../../oci-spec/semantic.js';
import { unsupportedIssues } from '../../../oci-spec/unsupported.js';
import { CONTAINER, patched, PODMAN } from './example-configs.js';

const noLsm = { apparmor: false, selinux: false };

void t.test('engines and our own defaults are accepted whole', (t) => {
  for (const [name, document] of Object.entries({
    spec: defaultConfig(),
    rootless: rootlessConfig(1000, 1000),
    worker: defaultWorkerConfig(),
    podman: PODMAN,
  })) {
    const config = parseConfig(JSON.stringify(document));
    t.strictSame(config, document, name);
    t.strictSame(unsupportedIssues(config, noLsm), [], `${name}: nothing unsupported`);
  }
  t.end();
});

void t.test('accepted versions of the specification', (t) => {
  for (const ociVersion of ['1.0.0', '1.0.0-rc5', '1.0.2-dev', '1.1.0+dev', '1.2.1', '1.3.0', '1.3.0+dev'])
    t.equal(parseConfig(JSON.stringify(patched(CONTAINER, { ociVersion }))).ociVersion, ociVersion);
  t.end();
});

void t.test('RLIM_INFINITY survives', (t) => {
  const text = JSON.stringify(
    patched(CONTAINER, { process: { rlimits: [{ type: 'RLIMIT_CORE', soft: 0, hard: 777 }] } }),
  ).replace('777', '18446744073709551615');
  t.equal(parseConfig(text).process?.rlimits?.[0]?.hard, 18446744073709551615n);
  t.throws(() => parseConfig(text.replace('18446744073709551615', '18446744073709551616')), {
    message:
      'process.rlimits[0].hard: must be an integer from 0 to 18446744073709551615, got 18446744073709551616',
  });
  t.throws(
    () => validateConfig(JSON.parse(text)),
    { message: /process\.rlimits\[0\]\.hard: must be an integer/ },
    'an integer that JSON.parse has rounded is not taken for another',
  );
  t.end();
});

void t.test('unknown members are kept, null members are absent', (t) => {
  const text = JSON.stringify(CONTAINER).replace(
    '{',
    '{"x-vendor":{"a":[1]},"hooks":null,"annotations":{"a":null,"b":"c"},',
  );
  const config = parseConfig(text);
  t.match(config, { 'x-vendor': { a: [1] }, annotations: { b: 'c' } });
  t.notOk('hooks' in config);
  t.notOk('a' in (config.annotations ?? {}));
  t.end();
});

void t.test('a syntax error names line and column', (t) => {
  t.throws(() => parseConfig('{\n"ociVersion": "1.2.0",,\n}'), {
    name: 'ConfigError',
    code: 'TURF_ERR_CONFIG',
    message: '2:23: expected a property name, found ","',
  });
  t.throws(() => parseConfig('[]'), { message: 'must be an object, got an array' });
  t.throws(() => parseConfig('null'), { message: 'must be an object, got null' });
  t.end();
});

void t.test('a document nested too deep is refused, not overflown', (t) => {
  let deep: unknown = {};
  for (let level = 0; level < 100_000; level++) deep = [deep];
  t.throws(() => validateConfig({ ...CONTAINER, deep }), ConfigError);
  t.end();
});

void t.test('a process alone, for exec', (t) => {
  t.strictSame(parseProcess('{"cwd":"/","args":["sh"]}'), { cwd: '/', args: ['sh'] });
  t.throws(() => parseProcess('{"args":["sh"]}'), { message: 'process.cwd: is required' });
  t.throws(() => parseProcess('{"cwd":"x"}'), {
    message: 'process.cwd: must be an absolute path, got "x"\nprocess.args: is required',
  });
  t.end();
});

void t.test('what deserves a warning is accepted and named', (t) => {
  const config = validateConfig(
    patched(CONTAINER, {
      process: { capabilities: { bounding: ['CAP_WARP'], ambient: ['CAP_KILL'] } },
      mounts: [{ destination: 'data', type: 'tmpfs' }],
      hooks: { prestart: [{ path: '/bin/true' }] },
    }),
  );
  t.strictSame(
    configWarnings(config).map(({ path, message }) => `${path}: ${message}`),
    [
      'process.capabilities.bounding[0]: unknown capability "CAP_WARP" is ignored',
      'process.capabilities.ambient[0]: CAP_KILL is not set: it is not both permitted and inheritable',
      'mounts[0].destination: relative path "data" is taken as relative to /',
      'hooks.prestart: is deprecated: use createRuntime, createContainer or startContainer',
    ],
  );
  t.strictSame(configWarnings(validateConfig(CONTAINER)), []);
  t.end();
});
