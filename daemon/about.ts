import { release } from 'node:os';
import { type HealthInfo, type VersionInfo } from '../cli/operations.js';
import { libseccompVersion } from '../native-shim/probe.js';
import { OCI_VERSION } from '../oci-spec/rules/oci-version.js';
import { type Container } from './containers/container.js';
import { VERSION } from './version.js';

export function versionInfo(): VersionInfo {
  const seccomp = libseccompVersion();
  return {
    version: VERSION,
    specVersion: OCI_VERSION,
    node: process.version,
    kernel: release(),
    ...(seccomp === undefined ? {} : { seccomp }),
  };
}

/** @param started when the daemon started, milliseconds of the epoch */
export function healthInfo(containers: Iterable<Container>, started: number): HealthInfo {
  const kinds = [...containers].map(({ facts }) => facts.kind);
  const count = (kind: string): number => kinds.filter((other) => other === kind).length;
  return {
    status: 'ok',
    version: VERSION,
    uptimeSeconds: Math.floor((Date.now() - started) / 1000),
    containers: count('container'),
    seeds: count('seed'),
    workers: count('worker'),
  };
}
