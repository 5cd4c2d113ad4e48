import type { OciIntelRdt, OciNetDevices } from '../config.js';
import { type Report, show } from '../config-error.js';
import type { HasNamespace } from './namespaces.js';

/** IFNAMSIZ of linux/if.h, with the NUL. */
const NAME_LIMIT = 16;

/** runtime-spec config-linux.md "Network Devices"; what a name may be is dev_valid_name of the kernel's net/core/dev.c. */
export function checkNetDevices(devices: OciNetDevices, has: HasNamespace, report: Report): void {
  const entries = Object.entries(devices);
  if (entries.length > 0 && !has('network'))
    report('linux.netDevices', 'needs a network namespace in linux.namespaces');
  const targets = new Map<string, string>();
  for (const [from, { name = '' }] of entries) {
    const path = `linux.netDevices[${JSON.stringify(from)}]`;
    if (!isDeviceName(from)) report(path, `is not the name of a network device: ${show(from)}`);
    if (name !== '' && !isDeviceName(name.replace('%d', '0')))
      report(`${path}.name`, `is not a name for a network device: ${show(name)}`);
    const to = name === '' ? from : name;
    const twin = targets.get(to);
    if (twin !== undefined && !to.includes('%d'))
      report(path, `gets the same name as ${show(twin)}: ${show(to)}`);
    targets.set(to, from);
  }
}

function isDeviceName(name: string): boolean {
  return (
    name !== '' &&
    Buffer.byteLength(name) < NAME_LIMIT &&
    name !== '.' &&
    name !== '..' &&
    !/[/:%\s]/.test(name)
  );
}

/** runtime-spec config-linux.md "IntelRdt". */
export function checkIntelRdt(rdt: OciIntelRdt, report: Report): void {
  const path = 'linux.intelRdt';
  const { closID = '', l3CacheSchema = '', memBwSchema = '', schemata = [] } = rdt;
  if (closID !== '/' && (closID.includes('/') || closID === '.' || closID === '..'))
    report(`${path}.closID`, `must be "/" or the name of a directory, got ${show(closID)}`);
  if (l3CacheSchema !== '' && (!l3CacheSchema.startsWith('L3') || l3CacheSchema.includes('\n')))
    report(`${path}.l3CacheSchema`, `must be one line that starts with "L3:", got ${show(l3CacheSchema)}`);
  if (memBwSchema !== '' && (!memBwSchema.startsWith('MB:') || memBwSchema.includes('\n')))
    report(`${path}.memBwSchema`, `must be one line that starts with "MB:", got ${show(memBwSchema)}`);
  for (const [index, line] of schemata.entries()) {
    if (line === '' || line.includes('\n'))
      report(`${path}.schemata[${index}]`, `must be one line, got ${show(line)}`);
  }
}
