import { execFileSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openNamespaces } from '../../../../daemon/containers/namespaces.js';
import { defaultConfig } from '../../../../oci-spec/default-config.js';
import { type NamespaceType } from '../../../../oci-spec/namespaces.js';

const config = (type: NamespaceType, path: string) => ({
  ...defaultConfig(),
  linux: { namespaces: [{ type, path }] },
});

void t.test('a namespace is opened, and must be of its type', (t) => {
  const opened = openNamespaces(config('network', '/proc/self/ns/net'));
  t.strictSame([...opened.keys()], ['network']);
  for (const fd of opened.values()) closeSync(fd);
  t.throws(() => openNamespaces(config('network', '/proc/self/ns/mnt')), {
    code: 'TURF_ERR_CONFIG',
    path: 'linux.namespaces[0].path',
    message: /expected a network namespace/,
  });
  t.end();
});

void t.test('a FIFO in place of a namespace is refused, not waited for', (t) => {
  const path = join(t.testdir({}), 'fifo');
  execFileSync('mkfifo', [path]);
  t.throws(() => openNamespaces(config('network', path)), {
    code: 'TURF_ERR_CONFIG',
    message: /expected a network namespace, .* is .*fifo/,
  });
  t.end();
});
