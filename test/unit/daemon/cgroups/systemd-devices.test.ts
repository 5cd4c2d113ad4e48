import t from 'tap';
import { devicePolicy } from '../../../../daemon/cgroups/device-rules.js';
import { deviceProperties, parseDeviceGroups } from '../../../../daemon/cgroups/systemd-devices.js';
import type { OciDeviceRule } from '../../../../oci-spec/config.js';

const groups = parseDeviceGroups(
  'Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n136 pts\n\nBlock devices:\n  8 sd\n',
);
const of = (rules: readonly OciDeviceRule[]): readonly string[] =>
  deviceProperties(devicePolicy(rules), groups)
    .find(({ name }) => name === 'DeviceAllow')
    ?.value.slice(1) ?? [];

const DEFAULTS = [
  ...['char-*', 'm', 'block-*', 'm'],
  ...['/dev/char/1:3', 'rwm', '/dev/char/1:5', 'rwm', '/dev/char/1:7', 'rwm', '/dev/char/1:8', 'rwm'],
  ...['/dev/char/1:9', 'rwm', '/dev/char/5:0', 'rwm', '/dev/char/5:1', 'rwm', '/dev/char/5:2', 'rwm'],
  ...['char-pts', 'rwm'],
];

void t.test('the default devices, by the names that systemd has for them', (test) => {
  test.same(of([]), DEFAULTS);
  test.same(of([{ allow: false, access: 'rwm' }]), DEFAULTS);
  test.end();
});

void t.test('the number of pairs comes first, as busctl wants it', (test) => {
  const properties = deviceProperties(devicePolicy([]), groups);
  test.match(properties, [
    { name: 'DevicePolicy', signature: 's', value: ['strict'] },
    { name: 'DeviceAllow', signature: 'a(ss)', value: ['11'] },
  ]);
  test.end();
});

void t.test('what the rules allow more', (test) => {
  const rules: OciDeviceRule[] = [
    { allow: true, type: 'b', major: 8, access: 'r' },
    { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' },
  ];
  test.same(of(rules).slice(0, 4), ['block-sd', 'r', '/dev/char/10:229', 'rw']);
  test.end();
});

void t.test('systemd’s list is never the wider one', (test) => {
  const rules: OciDeviceRule[] = [
    { allow: true, type: 'b', major: 8, access: 'rw' },
    { allow: false, type: 'b', major: 8, minor: 1, access: 'w' },
  ];
  test.same(of(rules).slice(0, 2), ['block-sd', 'r'], 'one disk may not be written: none may');
  test.same(of([{ allow: true, type: 'b', major: 8 }, { allow: false }]), DEFAULTS, 'taken back');
  test.same(of([{ allow: true, type: 'c', major: 200, access: 'r' }]), DEFAULTS, 'a group without a name');
  test.same(of([{ allow: true, type: 'c', minor: 3, access: 'r' }]), DEFAULTS, 'a minor number of any major');
  test.end();
});

void t.test('a container that may use everything has no policy', (test) => {
  test.same(deviceProperties(devicePolicy([{ allow: true, type: 'a' }]), groups), []);
  test.end();
});
