import { constants } from 'node:os';

import t from 'tap';

import { ALL_CAPABILITIES, CAPABILITIES, capabilityMask } from '../../../oci-spec/capabilities.js';
import { containerIdProblem, isContainerId } from '../../../oci-spec/container-id.js';
import { NAMESPACE_TYPES, NAMESPACES } from '../../../oci-spec/namespaces.js';
import { isRlimitName, RLIMITS } from '../../../oci-spec/rlimits.js';
import { SECCOMP_FLAG_NAMES, SECCOMP_FLAGS } from '../../../oci-spec/seccomp-names.js';
import { SIGNALS, signalName, signalNumber } from '../../../oci-spec/signals.js';
import { sysctlPath } from '../../../oci-spec/sysctl-name.js';

void t.test('capabilities: 41 names, one bit each', (t) => {
  t.equal(CAPABILITIES.size, 41);
  t.equal(CAPABILITIES.get('CAP_CHOWN'), 0);
  t.equal(CAPABILITIES.get('CAP_SYS_ADMIN'), 21);
  t.equal(CAPABILITIES.get('CAP_CHECKPOINT_RESTORE'), 40);
  t.equal(capabilityMask([...CAPABILITIES.keys()]), ALL_CAPABILITIES);
  t.equal(capabilityMask(['CAP_KILL', 'CAP_WARP', 'CAP_KILL']), 1n << 5n);
  t.equal(capabilityMask(), 0n);
  t.end();
});

void t.test('namespaces: one clone flag each', (t) => {
  t.strictSame([...NAMESPACE_TYPES].sort(), Object.keys(NAMESPACES).sort());
  const flags = NAMESPACE_TYPES.map((type) => NAMESPACES[type].flag);
  t.equal(
    flags.reduce<number>((all, flag) => all + flag, 0),
    flags.reduce<number>((all, flag) => all | flag, 0),
  );
  t.end();
});

void t.test('rlimits: numbers 0 to 15', (t) => {
  t.strictSame(
    Object.values(RLIMITS),
    Array.from({ length: 16 }, (_, index) => index),
  );
  t.ok(isRlimitName('RLIMIT_NOFILE'));
  t.notOk(isRlimitName('toString'));
  t.end();
});

void t.test('every seccomp flag has its name in the list', (t) => {
  t.strictSame([...SECCOMP_FLAG_NAMES].sort(), Object.keys(SECCOMP_FLAGS).sort());
  t.end();
});

void t.test('signals agree with the operating system, in every spelling', (t) => {
  for (const [name, number] of Object.entries(SIGNALS)) {
    const ours: Readonly<Record<string, number>> = constants.signals;
    if (ours[name] !== undefined) t.equal(number, ours[name], name);
    t.equal(signalName(number), name);
    for (const text of [name, name.toLowerCase(), name.slice(3), name.slice(3).toLowerCase(), `${number}`])
      t.equal(signalNumber(text), number, text);
  }
  for (let number = 1; number <= 64; number++)
    if (number < 32 || number > 33) t.equal(signalNumber(signalName(number)), number, `${number}`);
  t.equal(signalNumber('RTMIN+3'), 37);
  t.equal(signalNumber('sigrtmax-1'), 63);
  for (const bad of [
    '',
    '0',
    '65',
    '-1',
    '1.5',
    'SIG',
    'SIGFOO',
    'RTMIN+31',
    'RTMIN-1',
    'RTMAX-31',
    'toString',
    'SIGSIGTERM',
  ])
    t.equal(signalNumber(bad), undefined, bad);
  t.end();
});

void t.test('container ids', (t) => {
  for (const id of ['a', 'A.b_c+d-e', '0', '-a', 'a'.repeat(1024)]) t.ok(isContainerId(id), id.slice(0, 20));
  for (const id of ['', '.', '..', '.a', 'a/b', 'a b', 'é', 'a\0', 'a\n', 'a'.repeat(1025)])
    t.type(containerIdProblem(id), 'string', JSON.stringify(id.slice(0, 20)));
  t.end();
});

void t.test('sysctl names become paths as sysctl(8) reads them', (t) => {
  t.equal(sysctlPath('net.ipv4.ip_forward'), 'net/ipv4/ip_forward');
  t.equal(sysctlPath('net/ipv4/conf/eth0.100/forwarding'), 'net/ipv4/conf/eth0.100/forwarding');
  t.equal(sysctlPath('net.ipv4.conf.eth0/100.forwarding'), 'net/ipv4/conf/eth0.100/forwarding');
  for (const bad of ['', '.', 'net..core', '/net/core', 'net/../kernel', 'net.//.x', 'net.core.'])
    t.equal(sysctlPath(bad), undefined, bad);
  t.end();
});
