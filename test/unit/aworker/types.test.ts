import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync, mkdirSync, cpSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t from 'tap';
import ts from 'typescript';
import { runWorker, SUITES } from '../../fixtures/aworker/web-suite.js';

const PROJECT = fileURLToPath(new URL('../../../../', import.meta.url));
const DECLARATIONS = join(PROJECT, 'aworker/types');
const FIXTURES = join(PROJECT, 'test/fixtures/aworker/types');

/** A package that has turf installed and writes workers, as docs/aworker.md tells; removed with the test. */
const user = mkdtempSync(join(tmpdir(), 'turf-types-'));
mkdirSync(join(user, 'node_modules'));
symlinkSync(PROJECT, join(user, 'node_modules/turf'));
cpSync(FIXTURES, user, { recursive: true });
writeFileSync(join(user, 'settings.json'), '{"limit":3}');
writeFileSync(join(user, 'package.json'), '{"type":"module"}');
t.teardown(() => rmSync(user, { recursive: true }));

function compile(file: string, lib: string, moduleResolution = ts.ModuleResolutionKind.Bundler): ts.Program {
  return ts.createProgram([join(user, file)], {
    target: ts.ScriptTarget.ESNext,
    lib: [lib],
    module:
      moduleResolution === ts.ModuleResolutionKind.Bundler ? ts.ModuleKind.ESNext : ts.ModuleKind.NodeNext,
    moduleResolution,
    types: ['turf/aworker/types'],
    baseUrl: user,
    typeRoots: [join(user, 'node_modules/@types'), join(user, 'node_modules')],
    strict: true,
    noEmit: true,
    resolveJsonModule: true,
  });
}

const messages = (program: ts.Program): string[] =>
  ts.getPreEmitDiagnostics(program).map((found) => {
    const place = found.file?.getLineAndCharacterOfPosition(found.start ?? 0).line ?? -1;
    return `${basename(found.file?.fileName ?? '')}:${place + 1}: ${ts.flattenDiagnosticMessageText(found.messageText, ' ')}`;
  });

void t.test('a worker compiles with the declarations alone, however modules are resolved', (t) => {
  t.same(messages(compile('accepted.ts', 'lib.es2023.d.ts')), []);
  t.same(messages(compile('accepted.ts', 'lib.esnext.d.ts', ts.ModuleResolutionKind.NodeNext)), []);
  t.end();
});

void t.test('the examples compile', (t) => {
  const file = join(PROJECT, 'examples/tsconfig.json');
  const { config, error } = ts.readConfigFile(file, (path) => ts.sys.readFile(path)) as {
    config: unknown;
    error?: ts.Diagnostic;
  };
  t.equal(error, undefined);
  const { fileNames, options } = ts.parseJsonConfigFileContent(
    config,
    ts.sys,
    join(PROJECT, 'examples'),
    undefined,
    file,
  );
  t.ok(fileNames.length > 5, `${fileNames.length} files`);
  t.same(messages(ts.createProgram(fileNames, options)), []);
  t.end();
});

void t.test('nothing of Node.js, of a document or of another runtime compiles', (t) => {
  const refused = messages(compile('refused.ts', 'lib.es2023.d.ts'));
  readFileSync(join(FIXTURES, 'refused.ts'), 'utf8')
    .split('\n')
    .forEach((line, index) => {
      const found = refused.filter((message) => message.startsWith(`refused.ts:${index + 1}:`));
      if (line.endsWith('// refused')) t.ok(found.length > 0, `refused: ${line}`);
      else t.same(found, [], `accepted: ${line}`);
    });
  t.end();
});

function valuesInScope(program: ts.Program): ts.Symbol[] {
  const [anywhere] = program.getSourceFiles();
  if (anywhere === undefined) throw new Error('the program has no file');
  return program.getTypeChecker().getSymbolsInScope(anywhere, ts.SymbolFlags.Value);
}

/** What the declarations have as values, by name. */
function declared(program: ts.Program): Map<string, ts.Symbol> {
  const symbols = valuesInScope(program)
    // The names of modules begin with a quotation mark.
    .filter((symbol) => !symbol.name.startsWith('"') && symbol.declarations?.some(isOurs) === true);
  return new Map(symbols.map((symbol) => [symbol.name, symbol]));
}

const isOurs = (node: ts.Node): boolean => node.getSourceFile().fileName.startsWith(DECLARATIONS);

const program = compile('refused.ts', 'lib.esnext.d.ts');
const ours = declared(program);

async function runtimeNames(): Promise<string[]> {
  const script = join(user, 'names.js');
  writeFileSync(
    script,
    `const names = [];
     for (let at = globalThis; at !== Object.prototype; at = Object.getPrototypeOf(at)) names.push(...Object.getOwnPropertyNames(at));
     console.log(JSON.stringify(names));`,
  );
  const { out, err } = await runWorker(script);
  t.equal(err, '');
  const names = JSON.parse(out) as string[];
  return names.filter((name) => name !== 'constructor');
}

void t.test('what is declared is there, and what is there is declared', async (t) => {
  const names = new Set(await runtimeNames());
  t.same(
    [...ours.keys()].filter((name) => !names.has(name)),
    [],
    'every global that is declared exists',
  );
  const known = new Set(valuesInScope(program).map(({ name }) => name));
  // Of the latest engines alone.
  known.add('Temporal');
  t.same(
    [...names].filter((name) => !known.has(name)),
    [],
    'every global that exists is declared',
  );
});

void t.test(
  'docs/aworker.md: each global is in one line of the table of interfaces, and is there or not',
  async (t) => {
    const page = readFileSync(join(PROJECT, 'docs/aworker.md'), 'utf8');
    const rows = [...page.matchAll(/^\| ((?:`\w+`,? )+) *\| (complete|partial|absent) /gm)];
    const listed = rows.flatMap(([, cell = '', state = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => ({ name, state })),
    );
    const present = listed.filter(({ state }) => state !== 'absent').map(({ name }) => name);
    t.same(present.sort(), [...ours.keys()].sort(), 'those that are there');
    const names = new Set(await runtimeNames());
    const absent = listed.filter(({ state }) => state === 'absent');
    t.ok(absent.length > 10);
    t.same(
      absent.filter(({ name }) => names.has(name)),
      [],
      'those that are not',
    );
  },
);

interface Declaration {
  readonly length?: number;
  readonly members: string;
  readonly optional?: string;
  readonly parent?: string;
}

/** The names of an interface's members in `idl.js`. */
function specified({ members }: Declaration, isStatic: boolean): string[] {
  return members
    .replace(/static[\s-](?:attribute:)?/g, '!')
    .split(/\s+/)
    .filter((word) => word !== '' && (word.startsWith('!') === isStatic || (isStatic && word.includes(':'))))
    .map((word) => /^!?(\w+)/.exec(word)?.[1] ?? word);
}

void t.test(
  'members are those that the specifications have, and that the runtime was tested for',
  async (t) => {
    const { IDL } = (await import(pathToFileURL(join(SUITES, 'idl.js')).href)) as {
      IDL: Readonly<Record<string, Declaration>>;
    };
    const checker = program.getTypeChecker();
    for (const [name, declaration] of Object.entries(IDL)) {
      const symbol = ours.get(name);
      if (symbol?.valueDeclaration === undefined) {
        t.fail(`${name} is declared`);
        continue;
      }
      const constructor = checker.getTypeOfSymbolAtLocation(symbol, symbol.valueDeclaration);
      const instance = checker.getDeclaredTypeOfSymbol(symbol);
      const parent = ours.get(declaration.parent ?? '');
      const inherited = new Set(
        parent === undefined
          ? []
          : checker
              .getDeclaredTypeOfSymbol(parent)
              .getProperties()
              .map((p) => p.name),
      );
      const members = (type: ts.Type): string[] =>
        type
          .getProperties()
          .filter((property) => property.declarations?.some(isOurs) === true)
          .map((property) => property.name)
          .filter((member) => !member.startsWith('__@') && member !== 'prototype');
      const wanted = specified(declaration, false);
      const known = new Set([...wanted, ...inherited, ...(declaration.optional ?? '').split(' ')]);
      t.same(
        // Handlers of this scope are the global object's own properties.
        members(instance).filter(
          (member) => !known.has(member) && !(name === 'ServiceWorkerGlobalScope' && member.startsWith('on')),
        ),
        [],
        `${name}: nothing more`,
      );
      t.same(
        wanted.filter((member) => instance.getProperty(member) === undefined),
        [],
        `${name}: nothing less`,
      );
      t.same(
        specified(declaration, true).filter((member) => constructor.getProperty(member) === undefined),
        [],
        `${name}: static members`,
      );
      t.equal(
        constructor.getConstructSignatures().length > 0,
        declaration.length !== undefined,
        `${name}: a constructor or none`,
      );
    }
  },
);
