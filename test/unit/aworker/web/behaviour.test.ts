import t from 'tap';
import { runSuite } from '../../../fixtures/aworker/web-suite.js';

const SUITES = {
  scope: 150,
  caches: 69,
  messaging: 60,
  encoding: 540,
  files: 70,
  urls: 500,
  bodies: 380,
  streams: 125,
  crypto: 225,
};

for (const [suite, atLeast] of Object.entries(SUITES))
  void t.test(`${suite} as specified`, async (t) => {
    await runSuite(t, suite, atLeast);
  });

void t.test('nothing of Node.js can be reached', async (t) => {
  await runSuite(t, 'leaks', 200);
});
