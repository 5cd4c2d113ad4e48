import t from 'tap';
import { listenOptions } from '../../../../aworker/config/listen-address.js';

void t.test('addresses are unix:PATH and tcp:HOST:PORT', (t) => {
  t.same(listenOptions('unix:/run/a.sock'), { path: '/run/a.sock' });
  t.same(listenOptions('tcp:127.0.0.1:0'), { host: '127.0.0.1', port: 0 });
  t.same(listenOptions('tcp:[::1]:80'), { host: '::1', port: 80 });
  for (const bad of ['', 'unix:', 'tcp:80', 'tcp:a:65536', 'tcp:::1:80', 'http://x', 'tcp:a:b']) {
    t.throws(() => listenOptions(bad), {
      message: `"${bad}" is no address: write unix:PATH or tcp:HOST:PORT`,
    });
  }
  t.end();
});
