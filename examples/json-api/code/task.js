/**
 * @typedef {object} Task
 * @property {string} id
 * @property {string} title
 * @property {boolean} done
 */

/**
 * What a client sent, checked.
 *
 * @param {Request} request
 * @returns {Promise<{ title: string, done: boolean }>}
 * @throws TypeError, SyntaxError
 */
export async function readTask(request) {
  const value = await request.json();
  if (typeof value !== 'object' || value === null) throw new TypeError('the body is no JSON object');
  const { title, done = false } = /** @type {Record<string, unknown>} */ (value);
  if (typeof title !== 'string' || title === '') throw new TypeError('title: a string that is not empty');
  if (typeof done !== 'boolean') throw new TypeError('done: true or false');
  return { title, done };
}
