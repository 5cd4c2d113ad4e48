import { execFile } from 'node:child_process';
import type { UnitProperty } from './systemd-properties.js';

/** Runs `busctl` with these arguments; resolves to its output, rejects with its error text. */
export type Busctl = (args: readonly string[]) => Promise<string>;

const BUSCTL_TIMEOUT = 10_000;

/** busctl(1) of the host's systemd. */
export const runBusctl: Busctl = (args) =>
  new Promise((resolve, reject) => {
    execFile('busctl', args, { timeout: BUSCTL_TIMEOUT }, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr.trim() === '' ? error.message : stderr.trim()));
      else resolve(stdout);
    });
  });

/* `--`: a unit's name comes from config.json and may begin with `-` */
const manager = (method: string, ...args: readonly string[]): readonly string[] => [
  '--',
  'call',
  'org.freedesktop.systemd1',
  '/org/freedesktop/systemd1',
  'org.freedesktop.systemd1.Manager',
  method,
  ...args,
];

/** Arguments of busctl for StartTransientUnit(name, "replace", properties, no auxiliary units). */
export function startTransientUnit(unit: string, properties: readonly UnitProperty[]): readonly string[] {
  const list = properties.flatMap(({ name, signature, value }) => [name, signature, ...value]);
  const count = String(properties.length);
  return manager('StartTransientUnit', 'ssa(sv)a(sa(sv))', unit, 'replace', count, ...list, '0');
}

/** Arguments of busctl for SetUnitProperties(name, runtime, properties). */
export function setUnitProperties(unit: string, properties: readonly UnitProperty[]): readonly string[] {
  const list = properties.flatMap(({ name, signature, value }) => [name, signature, ...value]);
  return manager('SetUnitProperties', 'sba(sv)', unit, 'true', String(properties.length), ...list);
}

/** Arguments of busctl for StopUnit. */
export const stopUnit = (unit: string): readonly string[] => manager('StopUnit', 'ss', unit, 'replace');
/** Arguments of busctl for ResetFailedUnit. */
export const resetFailedUnit = (unit: string): readonly string[] => manager('ResetFailedUnit', 's', unit);

const GET_VERSION = [
  'get-property',
  'org.freedesktop.systemd1',
  '/org/freedesktop/systemd1',
  'org.freedesktop.systemd1.Manager',
  'Version',
] as const;

/** CPUWeight 0, "idle", is refused by older ones. */
const KNOWS_IDLE = 252;

/** Properties without those that this systemd does not know. Rejects as `busctl` does. */
export async function knownProperties(
  busctl: Busctl,
  properties: readonly UnitProperty[],
): Promise<readonly UnitProperty[]> {
  const isIdle = ({ name, value }: UnitProperty): boolean => name === 'CPUWeight' && value[0] === '0';
  if (!properties.some(isIdle)) return properties;
  /* `s "252.31-1~deb12u1"` */
  const version = Number(/\d+/.exec(await busctl(GET_VERSION))?.[0] ?? 0);
  return version >= KNOWS_IDLE ? properties : properties.filter((property) => !isIdle(property));
}
