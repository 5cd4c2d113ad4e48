import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { configSchema } from '../../oci-spec/config-schema.js';
import type { JsonSchema } from '../../oci-spec/schema-builder.js';

interface Row {
  readonly line: string;
  readonly fields: readonly string[];
  readonly asked: string;
  readonly files: readonly string[];
  readonly tests: string;
}

/** What stands between backquotes. */
const spans = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);

/** `a.{b,c}` to `a.b` and `a.c`. */
function alternatives(path: string): string[] {
  const match = /\{([^{}]+)\}/.exec(path);
  if (match === null) return [path];
  const [whole, list = ''] = match;
  return list.split(',').flatMap((name) => alternatives(path.replace(whole, name)));
}

const rows: readonly Row[] = readFileSync('docs/conformance.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (-+|field or section)/.test(line))
  .map((line) => {
    const [, fields = '', asked = '', where = '', tests = ''] = line.split(' | ').join(' |').split('|');
    return { line, fields: spans(fields).flatMap(alternatives), asked, files: spans(where), tests };
  });

/** Every field that holds a value, by its path. */
function leaves({ properties, items, additionalProperties }: JsonSchema, path = ''): string[] {
  if (properties !== undefined && Object.keys(properties).length > 0) {
    return Object.entries(properties).flatMap(([key, member]) =>
      leaves(member, path === '' ? key : `${path}.${key}`),
    );
  }
  if (items !== undefined) return leaves(items, `${path}[]`);
  if (additionalProperties !== undefined) return leaves(additionalProperties, `${path}{}`);
  return [path];
}

void t.test('every field of the schema has a row', (t) => {
  const named = new Set(rows.flatMap(({ fields }) => fields));
  // turf's own member is no part of the specification.
  const specified = leaves(configSchema.json).filter((path) => !path.startsWith('turf.'));
  for (const path of specified) t.ok(named.has(path), path);
  t.end();
});

void t.test('every row says where it is met, and every file that it names exists', (t) => {
  t.ok(rows.length > 80, `${rows.length} rows`);
  for (const { line, files, asked } of rows) {
    t.ok(files.length > 0 && asked.trim() !== '', line);
    for (const file of files) t.ok(existsSync(file), file);
  }
  t.end();
});

void t.test('every row names a test, and every test that it names exists', (t) => {
  for (const { line, tests } of rows) {
    const groups = [...tests.matchAll(/`([^`]+)`: ((?:“[^”]+”(?:, )?)+)/g)];
    t.ok(groups.length > 0, line);
    for (const [, file = '', titles = ''] of groups) {
      const source = readFileSync(file, 'utf8');
      for (const [, title = ''] of titles.matchAll(/“([^”]+)”/g))
        t.ok(source.includes(title), `${file}: ${title}`);
    }
  }
  t.end();
});
