import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { parseOptions } from '../../cli/options.js';
import { loadVerb, matchVerb } from '../../cli/verbs.js';

const FOLDERS = /^(oci-spec|native-shim|daemon|aworker|cli|test|bench|demo|docs|examples|scripts|bin)\//;

/** What stands between backquotes on a line. */
function spans(line: string): string[] {
  return [...line.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);
}

const isPath = (span: string): boolean => FOLDERS.test(span) && !/[\s<>*]/.test(span);

/** Names of functions on a line: they are written with parentheses. */
const functions = (line: string): string[] =>
  spans(line).flatMap((span) => /^([A-Za-z_]\w*)\(\)$/.exec(span)?.[1] ?? []);

/** Whether the source text defines that function, method or constant function. */
function defines(path: string, name: string): boolean {
  const text = readFileSync(path, 'utf8');
  const definition = path.endsWith('.ts')
    ? `(function\\*?\\s+${name}\\b|^ +(async )?[*#]?${name}[<(]|(const|let) ${name}\\b)`
    : `^[\\w*][^;]*\\b${name}\\(`;
  return new RegExp(definition, 'm').test(text);
}

const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync('docs', { encoding: 'utf8', recursive: true })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
  ...readdirSync('examples', { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join('examples', name, 'README.md')),
];

void t.test('docs/architecture.md: every file exists, and defines the functions named beside it', (t) => {
  const lines = readFileSync('docs/architecture.md', 'utf8').split('\n');
  let hops = 0;
  for (const line of lines) {
    const paths = spans(line).filter(isPath);
    for (const path of paths) t.ok(existsSync(path), `${path} exists`);
    const files = paths.filter((path) => existsSync(path) && statSync(path).isFile());
    for (const name of functions(line)) {
      hops++;
      t.ok(
        files.some((file) => defines(file, name)),
        `${name}() is in ${files.join(' or ')}: ${line.slice(0, 80)}`,
      );
    }
  }
  t.ok(hops > 40, `${hops} functions were looked up`);
  t.end();
});

void t.test('every page: its relative links lead somewhere, and the files it names exist', (t) => {
  for (const document of DOCUMENTS) {
    const text = readFileSync(document, 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      t.ok(existsSync(join(dirname(document), target)), `${document}: ${target}`);
    }
    for (const path of spans(text).filter((span) => isPath(span) && /\.(ts|c|h|md)$/.test(span)))
      t.ok(existsSync(path), `${document}: ${path}`);
  }
  t.end();
});

void t.test('docs/security.md: every test that it names exists under that name', (t) => {
  let named = 0;
  for (const line of readFileSync('docs/security.md', 'utf8').split('\n')) {
    const files = spans(line).filter(
      (span) => span.startsWith('test/') || span.startsWith('native-shim/test/'),
    );
    const sources = files.map((file) => readFileSync(file, 'utf8'));
    for (const [, name = ''] of line.matchAll(/“([^”]+)”/g)) {
      named++;
      t.ok(
        sources.some((source) => source.includes(name)),
        `${files.join(', ')}: ${name}`,
      );
    }
  }
  t.ok(named > 20, `${named} tests were looked up`);
  t.end();
});

/** The turf commands of a page's shell examples, comments cut off. */
function shellCommands(text: string): string[] {
  return [...text.matchAll(/^```sh\n([^]*?)^```/gm)]
    .flatMap(([, block = '']) => block.split(/\n|&&/))
    .map((command) => command.replace(/#.*$/, '').trim())
    .filter((command) => command.startsWith('turf '));
}

void t.test(
  'every page: turf commands in examples have the verb, options and arguments that exist',
  async (t) => {
    let checked = 0;
    // docs/cli.md is made from the verbs.
    for (const document of DOCUMENTS.filter((name) => name !== 'docs/cli.md')) {
      for (const command of shellCommands(readFileSync(document, 'utf8'))) {
        const words = command.split(/\s+/).slice(1);
        const name = matchVerb(words);
        t.ok(name, `${document}: ${command}`);
        if (name === undefined) continue;
        const verb = await loadVerb(name);
        const { positionals } = parseOptions(verb.options, words.slice(name.split(' ').length));
        const required = verb.arguments.filter(({ optional }) => optional !== true).length;
        t.ok(
          positionals.length >= required && positionals.length <= verb.arguments.length,
          `${document}: ${command}: arguments`,
        );
        checked++;
      }
    }
    t.ok(checked > 5, `${checked} commands were parsed`);
  },
);
