import { globalAgent } from 'node:https';
import t from 'tap';
import { forgetTlsSessions } from '../../../../aworker/seed/tls-sessions.js';

void t.test('the agent of node:https forgets its sessions', (t) => {
  const sessions = (): unknown => Reflect.get(globalAgent, '_sessionCache');
  const cache = sessions();
  t.match(cache, { map: {}, list: [] }, 'this Node.js keeps them where they are looked for');
  Object.assign(cache ?? {}, { map: { 'localhost:443': Buffer.from('session') }, list: ['localhost:443'] });
  forgetTlsSessions();
  t.strictSame(sessions(), { map: {}, list: [] });
  t.end();
});
