/** Bodies that are not there yet: events as they happen, and a request that is answered while it arrives. */

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Server-sent events. Who stops listening stops the generator.
 *
 * @param {number} count
 */
async function* ticks(count) {
  for (let i = 1; i <= count; i++) {
    yield `id: ${i}\ndata: ${JSON.stringify({ tick: i, of: count })}\n\n`;
    await pause(50);
  }
}

const upperCase = () =>
  new TransformStream({
    transform(/** @type {string} */ chunk, controller) {
      controller.enqueue(chunk.toUpperCase());
    },
  });

/** @type {ExportedHandler} */
export default {
  fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/events') {
      const events = ReadableStream.from(ticks(Number(searchParams.get('count') ?? 10)));
      return new Response(events.pipeThrough(new TextEncoderStream()), {
        headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
      });
    }
    if (pathname === '/upper' && request.body !== null) {
      const text = request.body.pipeThrough(new TextDecoderStream()).pipeThrough(upperCase());
      return new Response(text.pipeThrough(new TextEncoderStream()), {
        headers: { 'content-type': 'text/plain; charset=utf-8' },
      });
    }
    return new Response('GET /events?count=N, or POST a text to /upper\n', { status: 404 });
  },
};
