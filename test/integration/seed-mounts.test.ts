import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporary, workerBundle } from './harness/bundle.js';
import { requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

/** What hostile code in a seed could do: it is root in the seed's user namespace. Prints a line for each attempt that succeeds. */
const ATTACK = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/ns/user", argv[1]);
  int user = open(path, O_RDONLY);
  snprintf(path, sizeof path, "/proc/%s/ns/mnt", argv[1]);
  int mount_namespace = open(path, O_RDONLY);
  if (setns(user, CLONE_NEWUSER) || setns(mount_namespace, CLONE_NEWNS)) return 2;
  if (setresgid(0, 0, 0) || setresuid(0, 0, 0)) return 3;
  for (int i = 2; i < argc; i++) {
    if (mount(NULL, argv[i], NULL, MS_REMOUNT | MS_BIND, NULL) == 0) printf("writable: %s\\n", argv[i]);
    if (umount2(argv[i], MNT_DETACH) == 0) printf("unmounted: %s\\n", argv[i]);
    snprintf(path, sizeof path, "%s/attack", argv[i]);
    if (open(path, O_CREAT | O_WRONLY, 0600) >= 0) printf("written: %s\\n", path);
  }
  puts("tried");
  return argc > 2 ? 0 : 4;
}
`;

await t.test("root of a seed's namespaces cannot open its mounts", requires(), async (t) => {
  const turfd = await Turfd.start(t);
  const directory = temporary(t);
  writeFileSync(join(directory, 'attack.c'), ATTACK);
  const program = join(directory, 'attack');
  execFileSync('cc', ['-static', '-o', program, join(directory, 'attack.c')]);

  const { path } = workerBundle(t, 'export default { fetch: () => new Response("hi") };', {
    turf: { seed: true },
  });
  const seed = turfd.id('seed');
  await turfd.ok(['seed', 'create', '--bundle', path, seed]);
  const { pid } = await turfd.state(seed);
  const places = ['/', '/code', '/turf/node', '/turf/dist/aworker', '/turf/dist/native/libturf.so', '/proc'];
  t.equal(execFileSync(program, [String(pid), ...places], { encoding: 'utf8' }), 'tried\n');
});
