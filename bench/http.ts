import { request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * One HTTP request on a connection of its own.
 * @param address `unix:PATH` or `tcp:HOST:PORT`
 * @param body sent as JSON
 */
export function exchange(address: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const [, host = '', port = ''] = /^tcp:(.*):(\d+)$/.exec(address) ?? [];
  const where = address.startsWith('unix:') ? { socketPath: address.slice(5) } : { host, port: Number(port) };
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...where, method, path, headers, agent: false }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => (text += chunk));
      incoming.on('error', reject);
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: text }));
    });
    outgoing.setTimeout(20_000, () => outgoing.destroy(new Error(`${address}: no answer in 20 s`)));
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
