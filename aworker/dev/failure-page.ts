/** The worker that answers while the user's cannot be started: every request gets the reason. */

interface Env {
  readonly REPORT: string;
}

export default {
  fetch(_request: Request, { REPORT }: Env): Response {
    return new Response(`${REPORT}\n`, {
      status: 500,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
    });
  },
};
