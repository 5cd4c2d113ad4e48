import Mustache from 'mustache';
import page from './page.html' with { type: 'text' };

// Once, in the seed: workers find the template parsed.
Mustache.parse(page);

/** @type {ExportedHandler} */
export default {
  fetch(request) {
    const { searchParams } = new URL(request.url);
    const html = Mustache.render(page, {
      name: searchParams.get('name') ?? 'stranger',
      headers: [...request.headers].map(([name, value]) => ({ name, value })),
    });
    return new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8' } });
  },
};
