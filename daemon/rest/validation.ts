import type { FastifySchemaCompiler } from 'fastify';
import { z } from 'zod';
import type { Problem } from '../../cli/api/problem.js';

export type ValidationIssue = NonNullable<Problem['issues']>[number];

const places: Record<string, ValidationIssue['in']> = { params: 'path', querystring: 'query', body: 'body' };

/** A request that does not fit the schema of its route. */
export class ValidationError extends Error {
  override readonly name = 'ValidationError';
  readonly issues: readonly ValidationIssue[];

  constructor(issues: readonly ValidationIssue[]) {
    super(issues.map(describe).join('; '));
    this.issues = issues;
  }

  /** Nothing but a container id is wrong. */
  get onlyIds(): boolean {
    return this.issues.every((issue) => issue.path === 'id' && issue.in !== 'query');
  }
}

function describe(issue: ValidationIssue): string {
  return issue.path === '' ? `${issue.in}: ${issue.message}` : `${issue.path}: ${issue.message}`;
}

/** `["env", "A B", 0]` as `env["A B"][0]`. */
function fieldPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^\w+$/.test(String(key))) text += text === '' ? String(key) : `.${String(key)}`;
    else text += `[${JSON.stringify(String(key))}]`;
  }
  return text;
}

/** fastify's hook for zod: a route's params, query and body become what their schema returns. */
export const compileValidator: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const place = places[httpPart ?? ''] ?? 'body';
  return (data: unknown) => {
    // An absent body reads as an empty object, so that defaults apply.
    const result = schema.safeParse(data ?? {});
    if (result.success) return { value: result.data };
    const issues = result.error.issues.map((issue) => ({
      in: place,
      path: fieldPath(issue.path),
      message: issue.message,
    }));
    return { error: new ValidationError(issues) };
  };
};
