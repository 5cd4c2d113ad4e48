import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { execRequestSchema, execResultSchema, type ExecWireResult } from '../../cli/api/exec.js';
import type { ExecOutput, ExecOutputOptions } from '../../cli/exec.js';
import type { Operations } from '../../cli/operations.js';
import { TurfError, type TurfErrorCode } from '../../cli/turf-error.js';
import { abortOnClose } from './abort.js';
import { idParams } from './id-params.js';
import { jsonEndpoint, streamEndpoint } from './endpoint.js';
import { toProblem } from './problem.js';

const tag = 'containers';
const errors: readonly TurfErrorCode[] = [
  'TURF_ERR_NOT_FOUND',
  'TURF_ERR_STATE',
  'TURF_ERR_CONFIG',
  'TURF_ERR_UNSUPPORTED',
  'TURF_ERR_LAUNCH',
  'TURF_ERR_CGROUP',
];

type ExecEnd = Pick<ExecWireResult, 'exitCode' | 'exitSignal'>;

/** Programs in containers: to their end with what they wrote, or as a stream. */
export function exec(app: FastifyInstance, { operations }: { operations: Operations }): void {
  jsonEndpoint(app, {
    method: 'POST',
    url: '/containers/:id/exec',
    summary: 'Run a program in a container, answered when it has ended',
    tag,
    params: idParams,
    body: execRequestSchema,
    status: 200,
    response: execResultSchema,
    errors: [...errors, 'TURF_ERR_TIMEOUT'],
    async handle({ params: { id }, body, reply }) {
      const { options, timeoutMs, outputLimit } = understood(id, body);
      const signal = limited(abortOnClose(reply), timeoutMs);
      const result = await collect(operations.execOutput(options, signal), outputLimit);
      if (!timedOut(signal)) return result;
      const message = `the program did not end in ${timeoutMs ?? 0} ms`;
      throw new TurfError('TURF_ERR_TIMEOUT', message, { operation: `exec ${id}` });
    },
  });

  streamEndpoint(app, {
    method: 'POST',
    url: '/containers/:id/exec/stream',
    summary: 'Run a program in a container; its output as it comes, as JSON lines',
    tag,
    params: idParams,
    body: execRequestSchema,
    status: 200,
    mediaType: 'application/x-ndjson',
    errors,
    async stream({ params: { id }, body, reply }) {
      const { options, timeoutMs } = understood(id, body);
      const outputs = operations.execOutput(options, limited(abortOnClose(reply), timeoutMs));
      const rest = outputs[Symbol.asyncIterator]();
      // What cannot be started is answered as a problem, not in the stream.
      const first = await rest.next();
      return reply.type('application/x-ndjson').send(Readable.from(lines(first, rest)));
    },
  });
}

/** Aborts with the client's connection, or when the time is over. */
function limited(closed: AbortSignal, timeoutMs: number | undefined): AbortSignal {
  return timeoutMs === undefined ? closed : AbortSignal.any([closed, AbortSignal.timeout(timeoutMs)]);
}

function timedOut({ reason }: AbortSignal): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}

interface Understood {
  readonly options: ExecOutputOptions;
  readonly timeoutMs: number | undefined;
  readonly outputLimit: number;
}

function understood(id: string, body: z.output<typeof execRequestSchema>): Understood {
  const { process, stdin, stdinBase64, timeoutMs, outputLimit, ...rest } = body;
  const input =
    stdinBase64 === undefined ? Buffer.from(stdin ?? '', 'utf8') : Buffer.from(stdinBase64, 'base64');
  const options = {
    ...rest,
    id,
    ...(process === undefined ? {} : { process: JSON.stringify(process) }),
    ...(input.length === 0 ? {} : { stdin: input }),
  };
  return { options, timeoutMs, outputLimit };
}

async function collect(outputs: AsyncIterable<ExecOutput>, limit: number): Promise<ExecWireResult> {
  const kept = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  const sizes = { stdout: 0, stderr: 0 };
  let pid = 0;
  let end: ExecEnd = {};
  for await (const output of outputs) {
    if (output.type === 'started') ({ pid } = output);
    else if (output.type === 'ended') end = ending(output);
    else {
      const { stream, data } = output;
      const room = Math.max(0, limit - sizes[stream]);
      if (room > 0) kept[stream].push(data.subarray(0, room));
      sizes[stream] += data.length;
    }
  }
  return {
    pid,
    ...end,
    ...encoded('stdout', Buffer.concat(kept.stdout)),
    ...encoded('stderr', Buffer.concat(kept.stderr)),
    truncated: sizes.stdout > limit || sizes.stderr > limit,
  };
}

function encoded(stream: 'stdout' | 'stderr', data: Buffer): Partial<ExecWireResult> {
  return isUtf8(data)
    ? { [stream]: data.toString('utf8') }
    : { [`${stream}Base64`]: data.toString('base64') };
}

async function* lines(
  first: IteratorResult<ExecOutput>,
  rest: AsyncIterator<ExecOutput>,
): AsyncGenerator<string> {
  try {
    for (let item = first; item.done !== true; item = await rest.next())
      yield `${JSON.stringify(line(item.value))}\n`;
  } catch (error) {
    yield `${JSON.stringify({ error: toProblem(error) })}\n`;
  } finally {
    await rest.return?.();
  }
}

function line(output: ExecOutput): object {
  switch (output.type) {
    case 'started':
      return { pid: output.pid };
    case 'output':
      return { stream: output.stream, data: Buffer.from(output.data).toString('base64') };
    case 'ended':
      return ending(output);
  }
}

function ending({ exitCode, exitSignal }: Extract<ExecOutput, { type: 'ended' }>): ExecEnd {
  return {
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(exitSignal === undefined ? {} : { exitSignal }),
  };
}
