import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { problemSchema } from './api/problem.js';
import { ERROR_CODES, TurfError, type TurfErrorCode } from './turf-error.js';

export interface RestCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

function isErrorCode(code: string): code is TurfErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

/** HTTP over the daemon's Unix socket, with connections kept open between calls. */
export class RestTransport {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** Sends a request; resolves to the answer's stream, rejects with the TurfError that a problem document describes. */
  async open(call: RestCall): Promise<IncomingMessage> {
    const response = await this.#send(call);
    if ((response.statusCode ?? 500) < 400) return response;
    throw problemError(response.statusCode ?? 500, await readAll(response));
  }

  /** Sends a request and parses the JSON answer; undefined for 204. */
  async json(call: RestCall): Promise<unknown> {
    const response = await this.open(call);
    const body = await readAll(response);
    return body.length === 0 ? undefined : parseJson(body);
  }

  /** Sends a request; resolves to the body of the answer. */
  async text(call: RestCall): Promise<string> {
    return (await readAll(await this.open(call))).toString('utf8');
  }

  /** Closes kept connections; calls under way fail. */
  close(): void {
    this.#agent.destroy();
  }

  #send(call: RestCall): Promise<IncomingMessage> {
    const payload =
      call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body, exactNumbers));
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        agent: this.#agent,
        socketPath: this.#socketPath,
        method: call.method,
        path: call.path,
        headers:
          payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(payload.length) },
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      });
      request.once('response', resolve);
      request.once('error', (cause) => {
        const message = `cannot reach the daemon at ${this.#socketPath}: ${cause.message}`;
        reject(new TurfError('TURF_ERR_UNAVAILABLE', message, { path: this.#socketPath, cause }));
      });
      request.end(payload);
    });
  }
}

/** JSON has no bigints; what a double cannot hold exactly is refused by the daemon. */
function exactNumbers(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(Buffer.from(chunk as Uint8Array));
  } catch (cause) {
    throw new TurfError('TURF_ERR_UNAVAILABLE', 'the daemon closed the connection', { cause });
  }
  return Buffer.concat(chunks);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (cause) {
    throw new TurfError('TURF_ERR_UNAVAILABLE', 'the daemon answered with something else than JSON', {
      cause,
    });
  }
}

function problemError(status: number, body: Buffer): TurfError {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    parsed = undefined;
  }
  return errorFromProblem(parsed, `the daemon answered ${status}`);
}

/** Rebuilds the error that a problem document describes; a code that this client does not know reads as SYSTEM. */
export function errorFromProblem(value: unknown, otherwise: string): TurfError {
  const problem = problemSchema.safeParse(value);
  if (!problem.success) return new TurfError('TURF_ERR_UNAVAILABLE', otherwise);
  const { code, detail, operation, path } = problem.data;
  return new TurfError(isErrorCode(code) ? code : 'TURF_ERR_SYSTEM', detail, {
    ...(operation === undefined ? {} : { operation }),
    ...(path === undefined ? {} : { path }),
  });
}
