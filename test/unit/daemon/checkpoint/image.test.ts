import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { type CheckpointImage, readImage, writeImage } from '../../../../daemon/checkpoint/image.js';

const IMAGE: CheckpointImage = { version: 1, mounts: ['/data'], streams: [], namespaces: [] };

void t.test('a link in the place of what goes beside the images is replaced, and not followed', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'turf-image-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const [precious, place] = [join(directory, 'precious'), join(directory, 'turf-checkpoint.json')];
  writeFileSync(precious, 'kept');
  symlinkSync(precious, place);
  writeImage(directory, IMAGE);
  t.equal(readFileSync(precious, 'utf8'), 'kept');
  t.ok(lstatSync(place).isFile());
  t.equal(lstatSync(place).mode & 0o777, 0o600);
  t.same(readImage(directory), IMAGE);
  t.end();
});
