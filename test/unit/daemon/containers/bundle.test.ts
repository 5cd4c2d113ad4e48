import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { directoryInBundle, readBundle, rootDirectory } from '../../../../daemon/containers/bundle.js';
import { defaultConfig } from '../../../../oci-spec/default-config.js';

void t.test('a bundle that cannot be read', (t) => {
  const dir = t.testdir({ 'a-file': '' });
  const path = join(dir, 'config.json');
  t.throws(() => readBundle(dir), {
    code: 'TURF_ERR_BUNDLE',
    message: `JSON specification file ${path} not found`,
  });
  t.throws(() => readBundle(join(dir, 'a-file')), { code: 'TURF_ERR_BUNDLE' });
  mkdirSync(path);
  t.throws(() => readBundle(dir), { code: 'TURF_ERR_BUNDLE' }, 'a directory');
  t.end();
});

void t.test('a config.json that is too large, no JSON, or wrong', (t) => {
  const dir = t.testdir({ 'config.json': '{"ociVersion": 1}' });
  t.throws(() => readBundle(dir), { code: 'TURF_ERR_CONFIG', path: 'ociVersion' });
  writeFileSync(join(dir, 'config.json'), '{');
  t.throws(() => readBundle(dir), { code: 'TURF_ERR_CONFIG' });
  truncateSync(join(dir, 'config.json'), (16 << 20) + 1);
  t.throws(() => readBundle(dir), { code: 'TURF_ERR_BUNDLE', message: /larger than 16777216 bytes/ });
  t.end();
});

void t.test('a config.json that is a FIFO or a device holds nobody up', (t) => {
  const dir = t.testdir({});
  const path = join(dir, 'config.json');
  execFileSync('mkfifo', [path]);
  t.throws(() => readBundle(dir), { code: 'TURF_ERR_BUNDLE', message: `${path}: not a regular file` });
  rmSync(path);
  symlinkSync('/dev/zero', path);
  t.throws(() => readBundle(dir), { code: 'TURF_ERR_BUNDLE', message: `${path}: not a regular file` });
  t.end();
});

void t.test('root.path may lie anywhere, and must be a directory', (t) => {
  const dir = t.testdir({
    outside: {},
    bundle: { file: '', 'link-out': t.fixture('symlink', '../outside') },
  });
  const bundle = join(dir, 'bundle');
  const at = (path: string): string => rootDirectory(bundle, { ...defaultConfig(), root: { path } });
  t.equal(at('link-out'), join(dir, 'outside'), 'symlinks resolved');
  t.equal(at('../outside'), join(dir, 'outside'));
  t.equal(at(dir), dir);
  for (const path of ['', 'file', 'missing', 'file/x'])
    t.throws(() => at(path), { code: 'TURF_ERR_CONFIG', path: 'root.path' }, path);
  t.end();
});

void t.test('turf.code stays inside the bundle, whatever links say', (t) => {
  const dir = t.testdir({ outside: { code: {} }, bundle: { code: { deep: {} }, file: '' }, 'bundle-2': {} });
  const bundle = join(dir, 'bundle');
  symlinkSync('code/deep', join(bundle, 'inner'));
  symlinkSync('../outside', join(bundle, 'out'));
  symlinkSync('/', join(bundle, 'slash'));
  symlinkSync('loop', join(bundle, 'loop'));
  symlinkSync('bundle', join(dir, 'alias'));
  const at = (path: string): string => directoryInBundle(bundle, path, 'turf.code');
  t.equal(at('code'), join(bundle, 'code'));
  t.equal(at('inner'), join(bundle, 'code/deep'));
  t.equal(at('.'), bundle);
  t.equal(at('code/../code'), join(bundle, 'code'));
  t.equal(
    directoryInBundle(join(dir, 'alias'), 'code', 'turf.code'),
    join(bundle, 'code'),
    'the bundle by a link',
  );
  for (const path of [
    '..',
    '../outside',
    'out',
    'out/code',
    'slash',
    '/',
    '/etc',
    'code/../../outside',
    '../bundle-2',
  ])
    t.throws(
      () => at(path),
      { code: 'TURF_ERR_CONFIG', path: 'turf.code', message: /leads out of the bundle/ },
      path,
    );
  for (const path of ['missing', 'file', 'loop']) t.throws(() => at(path), { code: 'TURF_ERR_CONFIG' }, path);
  t.end();
});
