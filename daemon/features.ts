import { featuresDocument } from '../oci-spec/features.js';
import { SECCOMP_FLAG_NAMES } from '../oci-spec/seccomp-names.js';
import { gatherFacts } from './check/facts.js';
import { VERSION } from './version.js';

/** What turf can do on this machine (runtime-spec, features.md). */
export function machineFeatures(): unknown {
  const facts = gatherFacts();
  const { libseccomp } = facts;
  return featuresDocument({
    version: VERSION,
    seccomp: {
      enabled: libseccomp !== undefined && facts.seccompActions.length > 0,
      ...(libseccomp === undefined ? {} : { libraryVersion: libseccomp }),
      supportedFlags: SECCOMP_FLAG_NAMES,
    },
    apparmor: facts.lsm.includes('apparmor'),
    selinux: facts.lsm.includes('selinux'),
    systemdCgroup: facts.systemd,
    systemdUserCgroup: false,
    rdmaCgroup: facts.controllers.includes('rdma'),
  });
}
