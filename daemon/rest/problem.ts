import type { Problem } from '../../cli/api/problem.js';
import { ERROR_CODES, TurfError, type TurfErrorCode } from '../../cli/turf-error.js';
import { ValidationError } from './validation.js';

const titles: Record<TurfErrorCode, string> = {
  TURF_ERR_USAGE: 'The request is not understood',
  TURF_ERR_CONFIG: 'config.json is not valid',
  TURF_ERR_UNSUPPORTED: 'Not supported',
  TURF_ERR_INVALID_ID: 'The id is not valid',
  TURF_ERR_BUNDLE: 'The bundle cannot be used',
  TURF_ERR_EXISTS: 'The id is taken',
  TURF_ERR_NOT_FOUND: 'Not found',
  TURF_ERR_STATE: 'The container is in the wrong state',
  TURF_ERR_LAUNCH: 'The container could not be launched',
  TURF_ERR_HOOK: 'A hook failed',
  TURF_ERR_CGROUP: 'A cgroup operation failed',
  TURF_ERR_SEED: 'The seed cannot be used',
  TURF_ERR_CHECKPOINT: 'CRIU failed',
  TURF_ERR_TIMEOUT: 'Timed out',
  TURF_ERR_UNAVAILABLE: 'Unavailable',
  TURF_ERR_SYSTEM: 'A system call or the daemon failed',
};

interface HttpError {
  readonly statusCode: number;
  readonly code?: string;
  readonly message: string;
}

function isClientError(error: unknown): error is HttpError {
  if (!(error instanceof Error) || !('statusCode' in error)) return false;
  return typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500;
}

/** In our words where fastify's say less than they could, or repeat all of a long request. */
function clientErrorText(error: HttpError): string {
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return 'content-type: must be application/json';
  if (error.code === 'FST_ERR_MAX_PARAM_LENGTH') return 'the path has a part of more than 1024 characters';
  return error.message;
}

function problem(code: TurfErrorCode, status: number, detail: string, more: Partial<Problem>): Problem {
  return { type: `urn:turf:error:${code}`, title: titles[code], status, detail, code, ...more };
}

/**
 * Translates whatever was thrown into RFC 9457 problem details.
 *
 * @param error a TurfError, a validation error, one of fastify's own (bad JSON, body too large), or a defect
 * @param instance path of the request
 */
export function toProblem(error: unknown, instance?: string): Problem {
  const where = instance === undefined ? {} : { instance };
  if (error instanceof TurfError) {
    return problem(error.code, ERROR_CODES[error.code].status, error.message, {
      ...where,
      ...(error.operation === undefined ? {} : { operation: error.operation }),
      ...(error.path === undefined ? {} : { path: error.path }),
    });
  }
  if (error instanceof ValidationError) {
    const code = error.onlyIds ? 'TURF_ERR_INVALID_ID' : 'TURF_ERR_USAGE';
    const path = error.issues[0]?.path;
    return problem(code, ERROR_CODES[code].status, error.message, {
      ...where,
      ...(path === undefined ? {} : { path }),
      issues: [...error.issues],
    });
  }
  if (isClientError(error)) {
    return problem('TURF_ERR_USAGE', error.statusCode, clientErrorText(error), where);
  }
  if (error instanceof RangeError && error.message.includes('call stack')) {
    return problem('TURF_ERR_USAGE', 400, 'body: is nested too deeply', where);
  }
  // A defect's message may hold anything; its text goes to the log, not to the client.
  return problem('TURF_ERR_SYSTEM', 500, 'internal error, see the log of the daemon', where);
}
