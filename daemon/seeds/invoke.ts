import { request as httpRequest, type RequestOptions } from 'node:http';
import { type InvokeOptions, type InvokeResult } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { parseListenAddress } from '../../oci-spec/listen-address.js';

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_BODY_BYTES = 64 << 20;

/**
 * Sends one HTTP request to a worker and collects the answer.
 *
 * @param listen the worker's address
 * @throws TurfError TURF_ERR_UNAVAILABLE where it does not answer, TURF_ERR_TIMEOUT
 */
export function invokeWorker(listen: string, options: InvokeOptions): Promise<InvokeResult> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    const fail = (code: 'TURF_ERR_UNAVAILABLE' | 'TURF_ERR_TIMEOUT', reason: string, cause?: unknown): void =>
      reject(
        new TurfError(code, `worker ${options.id}: ${reason}`, { operation: `invoke ${options.id}`, cause }),
      );
    const request = httpRequest(
      {
        ...target(listen),
        method: options.method,
        path: options.path,
        headers: withHost(options.headers).flat(),
        agent: false,
      },
      (response) => {
        const parts: Buffer[] = [];
        let size = 0;
        response.on('data', (part: Buffer) => {
          size += part.length;
          if (size > MAX_BODY_BYTES)
            request.destroy(new Error(`the body is larger than ${MAX_BODY_BYTES} bytes`));
          else parts.push(part);
        });
        response.on('error', (error) => fail('TURF_ERR_UNAVAILABLE', error.message, error));
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            statusText: response.statusMessage ?? '',
            headers: pairs(response.rawHeaders),
            body: Buffer.concat(parts),
          });
        });
      },
    );
    const timer = setTimeout(() => {
      fail('TURF_ERR_TIMEOUT', `no answer in ${timeoutMs} ms`);
      request.destroy();
    }, timeoutMs);
    request.on('close', () => {
      clearTimeout(timer);
      // An answer that Node gives to nobody, such as 101 or that to CONNECT: it closes the connection and says no more.
      fail('TURF_ERR_UNAVAILABLE', 'changed the protocol instead of answering');
    });
    request.on('error', (error) => fail('TURF_ERR_UNAVAILABLE', error.message, error));
    request.end(options.body);
  });
}

/** Node adds no Host field to headers that are given as a list. */
function withHost(headers: InvokeOptions['headers']): InvokeOptions['headers'] {
  const given = headers.some(([name]) => name.toLowerCase() === 'host');
  return given ? headers : [['Host', 'localhost'], ...headers];
}

function target(listen: string): RequestOptions {
  const address = parseListenAddress(listen);
  if (address === undefined) throw new TurfError('TURF_ERR_UNAVAILABLE', `no address: ${listen}`);
  return address.kind === 'unix'
    ? { socketPath: address.path, host: 'localhost' }
    : { host: address.host, port: address.port };
}

function pairs(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : [],
  );
}
