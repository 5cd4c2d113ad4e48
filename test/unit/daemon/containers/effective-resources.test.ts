import t from 'tap';
import { effectiveResources } from '../../../../daemon/containers/effective-resources.js';

for (const [version, limit, expected] of [
  ['1.0.2-dev', 0, -1],
  ['1.2.1', 0, -1],
  ['1.3.0', 0, 1],
  ['2.0.0', 0, 1],
  ['1.3.0', -1, -1],
  ['1.0.0', 7, 7],
] as const) {
  t.strictSame(
    effectiveResources(version, { pids: { limit }, cpu: { shares: 2 } }),
    { pids: { limit: expected }, cpu: { shares: 2 } },
    `${version} ${limit}`,
  );
}
t.strictSame(effectiveResources('1.3.0', { memory: { limit: 0 } }), { memory: { limit: 0 } });
