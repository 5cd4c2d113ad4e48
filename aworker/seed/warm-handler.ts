/** What a seed serves to itself before it parks: the request path of a typical worker, so that clones find it compiled. */

interface Echo {
  readonly path: string;
  readonly method: string;
  readonly length: number;
}

async function echo(request: Request): Promise<Echo> {
  const { pathname, searchParams } = new URL(request.url);
  const length = request.body === null ? searchParams.size : (await request.text()).length;
  return { path: pathname, method: request.method, length };
}

const handler = {
  async fetch(
    request: Request,
    _env: object,
    context: { waitUntil(promise: unknown): void },
  ): Promise<Response> {
    context.waitUntil(Promise.resolve(request.headers.get('user-agent')));
    const answer = await echo(request);
    if (answer.path === '/text') return new Response('warm', { headers: { 'x-warm': crypto.randomUUID() } });
    if (answer.path === '/stream') {
      const { readable, writable } = new TransformStream();
      const writer = writable.getWriter();
      const bytes = new TextEncoder().encode(JSON.stringify(answer));
      context.waitUntil(writer.write(bytes).then(() => writer.close()));
      return new Response(readable);
    }
    return Response.json({
      ...answer,
      random: Math.random() + crypto.getRandomValues(new Uint32Array(1)).length,
    });
  },
};

export default handler;
