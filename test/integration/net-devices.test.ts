import t, { type Test } from 'tap';
import { bundle, script } from './harness/bundle.js';
import { requires } from './harness/requires.js';
import { run } from './harness/run.js';
import { Turfd } from './harness/turfd.js';

let count = 0;

/** One end of a new pair of Ethernet devices of the host's, with addresses; both ends go with the test. */
async function device(t: Test): Promise<string> {
  const name = `tf${process.pid % 100_000}n${++count}`;
  const ip = async (...args: string[]): Promise<void> => {
    const { status, stderr } = await run(t, 'ip', args);
    if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
  };
  await ip(
    'link',
    'add',
    name,
    'address',
    '02:00:00:00:42:01',
    'mtu',
    '1300',
    'type',
    'veth',
    'peer',
    `${name}p`,
  );
  t.teardown(() => run(t, 'ip', ['link', 'delete', `${name}p`]));
  await ip('address', 'add', '192.0.2.7/29', 'brd', '+', 'label', `${name}:x`, 'dev', name);
  await ip('address', 'add', '192.0.2.9/32', 'valid_lft', '1000', 'preferred_lft', '1000', 'dev', name);
  await ip('-6', 'address', 'add', '2001:db8::7/64', 'nodad', 'dev', name);
  await ip('link', 'set', name, 'up');
  return name;
}

await t.test('linux.netDevices', requires('program:ip'), async (t) => {
  const turfd = await Turfd.start(t);
  const inside = (text: string, netDevices: unknown, more: Record<string, unknown> = {}) => {
    const { path } = bundle(t, script(text), (config) => {
      Object.assign(config.linux, { netDevices }, more);
    });
    return turfd.turf(['run', '--bundle', path, turfd.id(`n${++count}`)]);
  };

  await t.test('a device moves, with its permanent addresses, and is up', async (t) => {
    const name = await device(t);
    const { stdout, stderr } = await inside('ip address; ip link', { [name]: {} });
    t.equal(stderr, '');
    t.match(stdout, new RegExp(`${name}@.*UP.* mtu 1300`));
    t.match(stdout, '02:00:00:00:42:01');
    t.match(stdout, `inet 192.0.2.7/29 brd 192.0.2.7 scope global ${name}:x`);
    t.match(stdout, 'inet6 2001:db8::7/64 scope global');
    t.notMatch(stdout, '192.0.2.9', 'an address that expires stays behind');
    t.not((await run(t, 'ip', ['link', 'show', name])).status, 0, 'it has gone with the namespace');
  });

  await t.test('it gets the name that is asked for; a template becomes the next free one', async (t) => {
    const [a, b, c] = [await device(t), await device(t), await device(t)];
    const { stdout, stderr } = await inside('ip address', {
      [a]: { name: 'eth0' },
      [b]: { name: 'lan%d' },
      [c]: { name: 'lan%d' },
    });
    t.equal(stderr, '');
    t.match(stdout, /eth0@.*UP/);
    t.match(stdout, 'scope global eth0:x');
    t.match(stdout, /lan0@.*UP/);
    t.match(stdout, /lan1@.*UP/);
  });

  await t.test('also into a user namespace', async (t) => {
    const name = await device(t);
    const map = [{ containerID: 0, hostID: 100_000, size: 1000 }];
    const { stdout, stderr } = await inside(
      'ip address',
      { [name]: { name: 'eth0' } },
      {
        uidMappings: map,
        gidMappings: map,
        namespaces: [
          { type: 'user' },
          { type: 'ipc' },
          { type: 'network' },
          { type: 'mount' },
          { type: 'pid' },
          { type: 'uts' },
        ],
      },
    );
    t.equal(stderr, '');
    t.match(stdout, /eth0@.*UP/);
    t.match(stdout, 'inet 192.0.2.7/29');
  });

  await t.test('a create that fails gives it back as it was', async (t) => {
    const name = await device(t);
    const { path } = bundle(t, ['/no/such/program'], (config) => {
      config.linux['netDevices'] = { [name]: { name: 'eth0' } };
    });
    const { status } = await turfd.turf(['run', '--bundle', path, turfd.id('fails')]);
    t.not(status, 0);
    const { stdout } = await run(t, 'ip', ['address', 'show', name]);
    t.match(stdout, /UP/);
    t.match(stdout, `scope global ${name}:x`);
    t.match(stdout, '2001:db8::7/64');
  });

  await t.test('what cannot be moved is refused by its name', async (t) => {
    const name = await device(t);
    t.match(
      (await inside('true', { nosuch0: {} })).stderr,
      'linux.netDevices["nosuch0"]: there is no network device nosuch0',
    );
    t.match(
      (await inside('true', { [name]: { name: 'lo' } })).stderr,
      `linux.netDevices["${name}"]: the container's network namespace has a device lo already`,
    );
    t.match((await inside('true', { lo: { name: 'x' } })).stderr, /linux\.netDevices\["lo"\]: move lo: /);
    t.match(
      (await inside('true', { [name]: {} }, { namespaces: [{ type: 'mount' }, { type: 'uts' }] })).stderr,
      'linux.netDevices: needs a network namespace in linux.namespaces',
    );
    t.match(
      (
        await inside(
          'true',
          { [name]: {} },
          {
            namespaces: [
              { type: 'mount' },
              { type: 'uts' },
              { type: 'network', path: '/proc/self/ns/net'.replace('self', String(process.pid)) },
            ],
          },
        )
      ).stderr,
      "linux.netDevices: needs a network namespace other than the host's",
    );
  });
});
