import t from 'tap';

import { parseListenAddress } from '../../../oci-spec/listen-address.js';
import { validateConfig } from '../../../oci-spec/parse.js';
import { readTurfMember, type TurfMember } from '../../../oci-spec/turf-member.js';
import { CONTAINER, type Json, patched } from './example-configs.js';

const read = (patch: Json): TurfMember =>
  readTurfMember(validateConfig(patched({ ociVersion: '1.2.0' }, patch)));

void t.test('a config without turf is a container', (t) => {
  t.strictSame(readTurfMember(validateConfig(CONTAINER)), { kind: 'container' });
  t.end();
});

void t.test('seeds: the mode follows the code unless it is given', (t) => {
  const runtime = 'aworker';
  t.match(read({ turf: { runtime, seed: true } }), { kind: 'seed', mode: 'runtime', network: 'none' });
  t.match(read({ turf: { runtime, seed: true, code: 'c' } }), { kind: 'seed', mode: 'userland', code: 'c' });
  t.match(read({ turf: { runtime, seed: { mode: 'runtime' }, code: 'c' } }), { mode: 'runtime', code: 'c' });
  t.end();
});

void t.test('workers and cold workers', (t) => {
  t.strictSame(
    read({
      turf: { runtime: 'aworker', from: 's1', code: 'c', listen: 'tcp:127.0.0.1:0', network: 'host' },
    }),
    { kind: 'worker', from: 's1', code: 'c', listen: 'tcp:127.0.0.1:0', network: 'host' },
  );
  t.strictSame(read({ turf: { runtime: 'aworker', code: 'c' } }), {
    kind: 'aworker',
    code: 'c',
    listen: undefined,
    network: 'none',
  });
  t.end();
});

void t.test('annotations stand for every field', (t) => {
  const annotations = (fields: Record<string, string>): Json => ({
    annotations: Object.fromEntries(
      Object.entries({ runtime: 'aworker', ...fields }).map(([name, value]) => [`dev.turf.${name}`, value]),
    ),
  });
  t.match(read(annotations({ seed: 'true' })), { kind: 'seed', mode: 'runtime' });
  t.match(read(annotations({ seed: 'userland', code: 'c' })), { kind: 'seed', mode: 'userland', code: 'c' });
  t.match(read(annotations({ from: 's', listen: 'unix:/a', network: 'host', code: 'c' })), {
    kind: 'worker',
    from: 's',
    listen: 'unix:/a',
    network: 'host',
    code: 'c',
  });
  t.match(read(annotations({ code: 'c', limits: '{"turnMs":5}', nodeModules: 'node:fs,node:path' })), {
    limits: { turnMs: 5 },
    nodeModules: ['node:fs', 'node:path'],
  });
  t.match(
    read(patched(annotations({ code: 'c' }), { turf: { runtime: 'aworker', code: 'c' } })),
    { kind: 'aworker' },
    'the same twice is no conflict',
  );
  t.end();
});

void t.test('listen addresses', (t) => {
  t.strictSame(parseListenAddress('unix:/run/a b'), { kind: 'unix', path: '/run/a b' });
  t.strictSame(parseListenAddress('tcp:[::1]:80'), { kind: 'tcp', host: '::1', port: 80 });
  t.strictSame(parseListenAddress('tcp:localhost:0'), { kind: 'tcp', host: 'localhost', port: 0 });
  for (const bad of [
    '',
    'unix:',
    'unix:a',
    `unix:/${'a'.repeat(107)}`,
    'tcp:',
    'tcp::80',
    'tcp:a',
    'tcp:a:x',
    'tcp:::1:80',
    'http://a',
  ])
    t.equal(parseListenAddress(bad), undefined, bad);
  t.end();
});
