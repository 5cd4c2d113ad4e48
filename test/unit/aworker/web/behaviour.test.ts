import t from 'tap';
import { runSuite } from '../../../fixtures/aworker/web-suite.js';

for (const [suite, atLeast] of Object.entries({ scope: 150, caches: 69, messaging: 60 }))
  void t.test(`${suite} as specified`, async (t) => {
    await runSuite(t, suite, atLeast);
  });

void t.test('nothing of Node.js can be reached', async (t) => {
  await runSuite(t, 'leaks', 200);
});
