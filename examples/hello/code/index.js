/** @type {ExportedHandler<{ GREETING?: string }>} */
export default {
  fetch: (_request, env) => new Response(`${env.GREETING ?? 'hello'} from ${aworker.id}\n`),
};
