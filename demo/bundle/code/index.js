/* global Response, crypto */

// What a real service does when it starts: a table of 200,000 routes, and a template that is taken apart once.
const ROUTES = new Map();
for (let n = 0; n < 200_000; n++)
  ROUTES.set(`/shop/${n % 97}/item/${n}`, { id: n, price: ((n * 7919) % 10_000) / 100, stock: n % 13 });

const TEMPLATE = 'Item {{id}} costs {{price}}, {{stock}} left. '.repeat(200);
const PARTS = TEMPLATE.split(/\{\{(\w+)\}\}/);

function render(item) {
  return PARTS.map((part, index) => (index % 2 === 0 ? part : String(item[part]))).join('');
}

export default {
  /** @param {Request} request */
  async fetch(request) {
    const item = ROUTES.get(new URL(request.url).pathname);
    if (item === undefined) return new Response('no such item\n', { status: 404 });
    return Response.json({ ...item, length: render(item).length, uuid: crypto.randomUUID() });
  },
};
