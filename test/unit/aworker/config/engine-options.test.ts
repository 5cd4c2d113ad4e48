import t from 'tap';
import { splitEngineOptions } from '../../../../aworker/config/engine-options.js';

void t.test('options of the engine are told from those of aworker', (t) => {
  t.same(
    splitEngineOptions(['x.js', '--inspect', '--env', 'A=B', '--cpu-prof-dir=/p', '--limit', 'turnMs=1']),
    {
      engine: ['--inspect', '--cpu-prof-dir=/p'],
      rest: ['x.js', '--env', 'A=B', '--limit', 'turnMs=1'],
    },
  );
  t.same(splitEngineOptions(['--inspect=127.0.0.1:0', '--', '--cpu-prof']), {
    engine: ['--inspect=127.0.0.1:0'],
    rest: ['--', '--cpu-prof'],
  });
  t.end();
});

void t.test('a value that is missing or too much is refused by the name of the option', (t) => {
  t.throws(() => splitEngineOptions(['--cpu-prof-dir']), {
    message: '--cpu-prof-dir: write --cpu-prof-dir=VALUE',
  });
  t.throws(() => splitEngineOptions(['--cpu-prof=1']), { message: '--cpu-prof takes no value' });
  t.same(splitEngineOptions(['--allow-natives-syntax']).rest, ['--allow-natives-syntax']);
  t.end();
});
