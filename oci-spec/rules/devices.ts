import type { OciDevice, OciDeviceRule } from '../config.js';
import { type Report, show } from '../config-error.js';

/** A dev_t inside the kernel has 12 bits of major and 20 bits of minor number (linux/kdev_t.h). */
const MAX_MAJOR = 0xfff;
const MAX_MINOR = 0xf_ffff;
const MAX_MODE = 0o177777;

/** runtime-spec config-linux.md "Devices". */
export function checkDevices(devices: readonly OciDevice[], report: Report): void {
  const seen = new Set<string>();
  for (const [index, device] of devices.entries()) {
    const path = `linux.devices[${index}]`;
    if (!device.path.startsWith('/'))
      report(`${path}.path`, `must be an absolute path, got ${show(device.path)}`);
    const normal = device.path.replace(/\/+/g, '/');
    if (seen.has(normal)) report(`${path}.path`, `repeats ${show(device.path)}`);
    seen.add(normal);
    if (device.type !== 'p') checkNumbers(device, path, report);
    if (device.fileMode !== undefined && device.fileMode > MAX_MODE)
      report(`${path}.fileMode`, `is not a file mode: ${device.fileMode}`);
    for (const id of ['uid', 'gid'] as const) {
      if (device[id] === 0xffff_ffff) report(`${path}.${id}`, 'must be at most 4294967294, got 4294967295');
    }
  }
}

function checkNumbers(device: OciDevice, path: string, report: Report): void {
  for (const [name, max] of [
    ['major', MAX_MAJOR],
    ['minor', MAX_MINOR],
  ] as const) {
    const number = device[name];
    if (number === undefined)
      report(`${path}.${name}`, `is required for a device of type ${show(device.type)}`);
    else if (number > max) report(`${path}.${name}`, `must be 0 to ${max}, got ${number}`);
  }
}

/** runtime-spec config-linux.md "Allowed Device list". An absent or empty type or access means all. */
export function checkDeviceRules(rules: readonly OciDeviceRule[], report: Report): void {
  for (const [index, { type = '', access = '', major, minor }] of rules.entries()) {
    const path = `linux.resources.devices[${index}]`;
    if (!['', 'a', 'b', 'c'].includes(type))
      report(`${path}.type`, `must be "a", "b" or "c", got ${show(type)}`);
    if (!/^[rwm]*$/.test(access) || new Set(access).size !== access.length)
      report(`${path}.access`, `must be made of "r", "w" and "m", got ${show(access)}`);
    if (major !== undefined && major > MAX_MAJOR)
      report(`${path}.major`, `must be -1 to ${MAX_MAJOR}, got ${major}`);
    if (minor !== undefined && minor > MAX_MINOR)
      report(`${path}.minor`, `must be -1 to ${MAX_MINOR}, got ${minor}`);
  }
}
