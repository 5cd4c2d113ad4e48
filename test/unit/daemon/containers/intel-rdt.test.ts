import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  enterIntelRdt,
  leaveIntelRdt,
  type RdtFacts,
  resctrlRoot,
} from '../../../../daemon/containers/intel-rdt.js';
import { UndoStack } from '../../../../daemon/containers/undo.js';
import type { OciIntelRdt } from '../../../../oci-spec/config.js';

/** A directory in the place of resctrl, which makes the files of a group by itself and takes them away with it. */
const remove = (path: string): void => {
  rmSync(path, { recursive: true });
};

function enter(root: string, rdt: OciIntelRdt, undo = new UndoStack()): RdtFacts {
  return enterIntelRdt(root, rdt, 'c1', 42, undo, remove);
}

const text = (...parts: string[]): string => readFileSync(join(...parts), 'utf8');

void t.test('without a resctrl file system the field is refused', (t) => {
  t.throws(() => resctrlRoot('22 1 0:5 / /proc rw - proc proc rw\n'), {
    code: 'TURF_ERR_UNSUPPORTED',
    message: 'linux.intelRdt: needs a mounted resctrl file system',
  });
  t.equal(resctrlRoot('9 1 0:5 / /sys/fs/resctrl rw shared:3 - resctrl resctrl rw\n'), '/sys/fs/resctrl');
  t.end();
});

void t.test('without closID the group is named after the container, and goes with it', (t) => {
  const root = t.testdir();
  const facts = enter(root, {
    l3CacheSchema: 'L3:0=7f0;1=1f',
    memBwSchema: 'MB:0=20;1=70',
    schemata: ['L2:0=f'],
  });
  t.equal(text(root, 'c1', 'schemata'), 'L3:0=7f0;1=1f\nMB:0=20;1=70\nL2:0=f\n');
  t.equal(text(root, 'c1', 'tasks'), '42');
  t.same(facts, { group: join(root, 'c1') });
  leaveIntelRdt(facts, remove);
  t.notOk(existsSync(join(root, 'c1')));
  leaveIntelRdt(facts, remove);
  t.end();
});

void t.test('a class of service that is missing is made with its schemata, and stays', (t) => {
  const root = t.testdir();
  const facts = enter(root, { closID: 'gold', schemata: ['MB:0=20'] });
  t.equal(text(root, 'gold', 'schemata'), 'MB:0=20\n');
  leaveIntelRdt(facts, remove);
  t.ok(existsSync(join(root, 'gold')));
  t.end();
});

void t.test('one that exists must have the same values, and is entered', (t) => {
  const root = t.testdir({ gold: { schemata: '    MB:0= 20;1=100\n    L3:0=07f0;1=001f\n' } });
  t.same(enter(root, { closID: 'gold', l3CacheSchema: 'L3:0=7F0', memBwSchema: 'MB:1=100' }), {});
  t.equal(text(root, 'gold', 'tasks'), '42');
  t.throws(() => enter(root, { closID: 'gold', l3CacheSchema: 'L3:0=7f1' }), {
    code: 'TURF_ERR_CONFIG',
    message: /^linux\.intelRdt\.l3CacheSchema: .*gold has other values/,
  });
  t.match(text(root, 'gold', 'schemata'), '07f0', 'nothing was written');
  t.same(enter(root, { closID: 'gold' }), {});
  t.throws(() => enter(root, { closID: 'silver' }), { message: /^linux\.intelRdt\.closID: there is no / });
  t.end();
});

void t.test('"/" is the root of resctrl', (t) => {
  const root = t.testdir();
  t.same(enter(root, { closID: '/' }), {});
  t.equal(text(root, 'tasks'), '42');
  t.end();
});

void t.test(
  'monitoring: a group of the container, removed with it; one that cannot be made is an error',
  (t) => {
    const root = t.testdir({ gold: { mon_groups: {} } });
    const facts = enter(root, { closID: 'gold', enableMonitoring: true });
    t.equal(text(root, 'gold', 'mon_groups', 'c1', 'tasks'), '42');
    t.same(facts, { monitor: join(root, 'gold', 'mon_groups', 'c1') });
    t.throws(() => enter(root, { closID: 'gold', enableMonitoring: true }), {
      message: /^linux\.intelRdt\.enableMonitoring: EEXIST/,
    });
    leaveIntelRdt(facts, remove);
    t.notOk(existsSync(join(root, 'gold', 'mon_groups', 'c1')));
    t.ok(existsSync(join(root, 'gold')));
    t.end();
  },
);

void t.test('a create that fails takes away what was made', async (t) => {
  const root = t.testdir();
  const undo = new UndoStack();
  t.throws(() => enter(root, { enableMonitoring: true }, undo), {
    message: /^linux\.intelRdt\.enableMonitoring: ENOENT/,
  });
  t.ok(existsSync(join(root, 'c1')));
  t.same(await undo.unwind(), []);
  t.notOk(existsSync(join(root, 'c1')));
  mkdirSync(join(root, 'c1'));
  writeFileSync(join(root, 'c1', 'schemata'), '');
  t.throws(() => enter(root, {}), { message: /^linux\.intelRdt\.closID: .* exists already/ });
});
