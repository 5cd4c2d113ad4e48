import { readFileSync } from 'node:fs';
import t from 'tap';
import { z } from 'zod';
import { buildRestServer } from '../../../../daemon/rest/server.js';
import { fakeOperations } from '../../cli/fake-operations.js';

const operationSchema = z.object({
  operationId: z.string(),
  summary: z.string(),
  tags: z.array(z.string()).min(1),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.enum(['path', 'query']),
        required: z.boolean(),
        schema: z.object({}),
      }),
    )
    .optional(),
  requestBody: z
    .object({
      required: z.boolean(),
      content: z.object({ 'application/json': z.object({ schema: z.object({}) }) }),
    })
    .optional(),
  responses: z.record(z.string(), z.object({ description: z.string() })),
});

const documentSchema = z.object({
  openapi: z.literal('3.1.0'),
  info: z.object({ title: z.string(), version: z.string() }),
  paths: z.record(z.string(), z.partialRecord(z.enum(['get', 'post', 'patch', 'delete']), operationSchema)),
  components: z.object({ schemas: z.record(z.string(), z.object({})) }),
});

async function fetchDocument() {
  const app = buildRestServer({ operations: fakeOperations().operations, version: '0.1.0' });
  const answer = await app.inject('/openapi.json');
  await app.close();
  return { text: answer.body, document: documentSchema.parse(answer.json()) };
}

void t.test('the document is OpenAPI 3.1 and closed under its references', async (t) => {
  const { text, document } = await fetchDocument();
  const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? '');
  t.ok(references.length > 10);
  for (const reference of new Set(references)) {
    const name = /^#\/components\/schemas\/(\w+)$/.exec(reference)?.[1] ?? '';
    t.ok(Object.hasOwn(document.components.schemas, name), reference);
  }
  t.notMatch(text, /\$defs|"\$schema"/);
  const ids = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map((operation) => operation.operationId),
  );
  t.equal(new Set(ids).size, ids.length, 'operation ids are unique');
  for (const [path, operations] of Object.entries(document.paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    for (const operation of Object.values(operations)) {
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      t.same(
        declared.map(({ name }) => name),
        names,
        `${path}: path parameters`,
      );
      t.ok(operation.responses['400'] && operation.responses['500'], `${path}: problems are described`);
    }
  }
});

void t.test('docs/rest.md has every route, and no other', async (t) => {
  const { document } = await fetchDocument();
  const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  );
  const text = readFileSync('docs/rest.md', 'utf8');
  const documented = [...text.matchAll(/^\| `((?:GET|POST|PATCH|DELETE) \/v1\/[^`]*)`/gm)].map(
    (match) => match[1],
  );
  t.same(documented.sort(), routes.sort());
});
