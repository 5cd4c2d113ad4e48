import { Hono } from 'hono';
import { etag } from 'hono/etag';
import { HTTPException } from 'hono/http-exception';
import { requestId } from 'hono/request-id';

const app = new Hono<{ Bindings: { GREETING?: string } }>();

app.use(requestId());
app.get('/', etag(), (c) => c.text(`${c.env.GREETING ?? 'hello'} from Hono\n`));
app.get('/users/:id', (c) => c.json({ id: c.req.param('id'), query: c.req.query() }));
app.post('/users', async (c) => {
  const { name } = await c.req.json<{ name?: string }>();
  if (name === undefined) throw new HTTPException(400, { message: 'name is missing' });
  return c.json({ name }, 201);
});
app.onError((error, c) => {
  if (error instanceof HTTPException) return error.getResponse();
  console.error(error);
  return c.text('Internal Server Error', 500);
});

export default app;
