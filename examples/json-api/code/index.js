/** A list of things to do, kept in the memory of this worker. */
import { readTask } from './task.js';

/** @type {Map<string, import('./task.js').Task>} */
const tasks = new Map();
const one = new URLPattern({ pathname: '/tasks/:id' });

/** @param {number} status @param {string} error */
const refuse = (status, error) => Response.json({ error }, { status });

/** @param {Request} request */
async function all(request) {
  switch (request.method) {
    case 'GET':
      return Response.json([...tasks.values()]);
    case 'POST': {
      const id = crypto.randomUUID();
      const task = { id, ...(await readTask(request)) };
      tasks.set(id, task);
      return Response.json(task, { status: 201, headers: { location: `/tasks/${id}` } });
    }
    default:
      return notAllowed('GET, POST');
  }
}

/** @param {Request} request @param {string} id */
async function single(request, id) {
  const task = tasks.get(id);
  if (task === undefined) return refuse(404, `there is no task ${id}`);
  switch (request.method) {
    case 'GET':
      return Response.json(task);
    case 'PUT': {
      const changed = { id, ...(await readTask(request)) };
      tasks.set(id, changed);
      return Response.json(changed);
    }
    case 'DELETE':
      tasks.delete(id);
      return new Response(null, { status: 204 });
    default:
      return notAllowed('GET, PUT, DELETE');
  }
}

/** @param {string} allow */
const notAllowed = (allow) => Response.json({ error: 'not allowed' }, { status: 405, headers: { allow } });

/** @type {ExportedHandler} */
export default {
  async fetch(request) {
    try {
      if (new URL(request.url).pathname === '/tasks') return await all(request);
      const id = one.exec(request.url)?.pathname.groups['id'];
      return id === undefined ? refuse(404, 'see /tasks') : await single(request, id);
    } catch (error) {
      if (error instanceof TypeError || error instanceof SyntaxError) return refuse(400, error.message);
      throw error;
    }
  },
};
