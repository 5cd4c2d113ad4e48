import t from 'tap';
import { runSuite } from '../../../fixtures/aworker/web-suite.js';

void t.test('interfaces are as Web IDL and their specifications have them', async (t) => {
  await runSuite(t, 'interfaces', 3300);
});
