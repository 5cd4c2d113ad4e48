import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { resctrlRoot } from '../../../../daemon/containers/intel-rdt.js';
import { updateIntelRdt } from '../../../../daemon/containers/update-rdt.js';

/** Directories in the place of resctrl: a plain file keeps the last line only, where the kernel's keeps one of each resource. */
const who = { id: 'c1', pid: 42 };
const remove = (path: string): void => {
  rmSync(path, { recursive: true });
};

void t.test('where resctrl is not mounted, the flag is refused by name', (t) => {
  const none = (): string => resctrlRoot('22 1 0:5 / /proc rw - proc proc rw\n');
  t.throws(() => updateIntelRdt(none, { closID: 'gold' }, who, { memBwSchema: 'MB:0=20' }), {
    code: 'TURF_ERR_UNSUPPORTED',
    message: '--mem-bw-schema: needs Intel RDT: no resctrl file system is mounted on this machine',
  });
  t.doesNotThrow(() => updateIntelRdt(none, undefined, who, {}), 'nothing asked, nothing needed');
  t.end();
});

void t.test('the class of service of the config is changed, and changed back', async (t) => {
  const root = t.testdir({ gold: { schemata: 'L3:0=7f\n' } });
  const { facts, undo } = updateIntelRdt(() => root, { closID: 'gold' }, who, { l3CacheSchema: 'L3:0=f' });
  t.equal(readFileSync(join(root, 'gold/schemata'), 'utf8'), 'L3:0=f\n');
  t.equal(facts, undefined, 'nothing was made');
  await undo();
  t.equal(readFileSync(join(root, 'gold/schemata'), 'utf8'), 'L3:0=7f\n');
});

void t.test('without a closID it is the one that is named after the container', (t) => {
  const root = t.testdir();
  mkdirSync(join(root, 'c1'));
  writeFileSync(join(root, 'c1/schemata'), '');
  updateIntelRdt(() => root, { l3CacheSchema: 'L3:0=7f' }, who, { l3CacheSchema: 'L3:0=1' });
  t.equal(readFileSync(join(root, 'c1/schemata'), 'utf8'), 'L3:0=1\n');
  t.end();
});

void t.test('a container without intelRdt gets a class of its own, with its process in it', async (t) => {
  const root = t.testdir();
  const { facts, undo } = updateIntelRdt(() => root, undefined, who, { memBwSchema: 'MB:0=20' }, remove);
  t.same(facts, { group: join(root, 'c1') });
  t.equal(readFileSync(join(root, 'c1/schemata'), 'utf8'), 'MB:0=20\n');
  t.equal(readFileSync(join(root, 'c1/tasks'), 'utf8'), '42');
  await undo();
  t.notOk(existsSync(join(root, 'c1')));
});
