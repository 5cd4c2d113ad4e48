import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { StateStore } from '../../../../daemon/containers/state-store.js';
import { someFacts } from './some-container.js';

const made = (t: Test): StateStore => new StateStore(t.testdir());

function foreign(store: StateStore, name: string, files: readonly string[], mode = 0o700): void {
  mkdirSync(store.path(name));
  chmodSync(store.path(name), mode);
  for (const file of files) writeFileSync(store.path(name, file), '');
}

void t.test('facts, config and exit survive, private to root', (t) => {
  const store = made(t);
  store.reserve('c1');
  const facts = someFacts({ process: { pid: 7, startTime: '99' }, annotations: { a: 'b' } });
  store.writeConfig('c1', '{"x":1}');
  store.writeFacts(facts);
  store.writeExit('c1', { exitCode: 3, stoppedAt: 'now' });
  t.strictSame(store.entries(), [{ id: 'c1', facts }]);
  t.equal(store.readConfig('c1'), '{"x":1}');
  t.strictSame(store.readExit('c1'), { exitCode: 3, stoppedAt: 'now' });
  t.equal(statSync(store.path('c1')).mode & 0o777, 0o700);
  t.equal(statSync(store.path('c1', 'state.json')).mode & 0o777, 0o600);
  t.strictSame(
    readdirSync(store.path('c1')).sort(),
    ['config.json', 'exit.json', 'state.json'],
    'nothing half-written',
  );
  store.remove('c1');
  t.strictSame(store.entries(), []);
  t.equal(store.readExit('c1'), undefined);
  t.end();
});

void t.test('an id is taken once', (t) => {
  const store = made(t);
  store.reserve('c1');
  store.writeFacts(someFacts());
  t.throws(() => store.reserve('c1'), { code: 'TURF_ERR_EXISTS', message: 'container with id exists: c1' });
  for (const id of ['turf.sock', 'cli.sock', 'turfd.lock', 'turfd.log', 'exits'])
    t.throws(() => store.reserve(id), { code: 'TURF_ERR_INVALID_ID' }, id);
  t.throws(() => store.reserve('x'.repeat(256)), { code: 'TURF_ERR_INVALID_ID' });
  t.end();
});

void t.test('what a create that died left is found, and its id can be used again', (t) => {
  const store = made(t);
  foreign(store, 'half', ['config.json', 'start.sock', 'state.json.new']);
  foreign(store, 'empty', []);
  t.strictSame(store.entries(), [{ id: 'empty' }, { id: 'half' }]);
  store.reserve('half');
  store.reserve('empty');
  t.strictSame(readdirSync(store.path('half')), []);
  t.end();
});

void t.test('directories that are not ours are neither listed nor taken', (t) => {
  const store = made(t);
  foreign(store, 'bundle', ['config.json', 'index.js']);
  foreign(store, 'open', ['config.json'], 0o755);
  foreign(store, 'other', ['state']);
  foreign(store, '.hidden', ['config.json']);
  writeFileSync(join(store.root, 'file'), '');
  t.strictSame(store.entries(), []);
  for (const id of ['bundle', 'open', 'other', 'file'])
    t.throws(() => store.reserve(id), { code: 'TURF_ERR_EXISTS' }, id);
  t.ok(existsSync(store.path('bundle', 'index.js')));
  t.end();
});

void t.test(
  'a state.json that cannot be used stands alone: the others are read, its directory stays',
  (t) => {
    const store = made(t);
    for (const [id, text] of [
      ['cut', '{"version":1,'],
      ['empty', ''],
      ['newer', JSON.stringify({ ...someFacts({ id: 'newer' }), version: 2 })],
    ] as const) {
      store.reserve(id);
      writeFileSync(store.path(id, 'state.json'), text);
    }
    store.reserve('c1');
    store.writeFacts(someFacts());
    const entries = store.entries();
    t.strictSame(
      entries.filter(({ error }) => error instanceof Error).map(({ id }) => id),
      ['cut', 'empty', 'newer'],
    );
    t.match(
      entries.find(({ id }) => id === 'c1'),
      { facts: { id: 'c1' } },
    );
    t.throws(() => store.reserve('cut'), { code: 'TURF_ERR_EXISTS' });
    t.end();
  },
);

void t.test('logs are appended to', (t) => {
  const store = made(t);
  store.reserve('c1');
  store.appendLog('c1', 'stdout', 'one\n');
  const fd = store.openLog('c1', 'stdout');
  writeSync(fd, 'two\n', 0);
  closeSync(fd);
  t.equal(readFileSync(store.logPath('c1', 'stdout'), 'utf8'), 'one\ntwo\n');
  t.equal(statSync(store.logPath('c1', 'stdout')).mode & 0o777, 0o600);
  t.end();
});

void t.test("the supervisor's records are read and forgotten, one or all", (t) => {
  const store = made(t);
  for (const name of ['7-99', '8-100', '9-1'])
    writeFileSync(join(store.root, 'exits', name), '{"pid":7,"startTime":99,"status":256,"at":"then"}\n');
  t.match(store.readExitRecord(7, '99'), { startTime: '99', status: 256, at: 'then' });
  t.equal(store.readExitRecord(7, '98'), undefined, 'another process of that pid');
  store.removeExitRecords(7, '99');
  t.equal(store.readExitRecord(7, '99'), undefined);
  t.strictSame(readdirSync(join(store.root, 'exits')), ['8-100', '9-1']);
  store.removeExitRecords();
  t.strictSame(readdirSync(join(store.root, 'exits')), []);
  t.end();
});
