import type { Report } from '../config-error.js';

/** The newest version of the specification that turf knows; newer 1.x configs stay compatible by semantic versioning. */
export const OCI_VERSION = '1.3.0';
export const OCI_VERSION_MIN = '1.0.0';

const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;
const MAX_MINOR = 3;

/** runtime-spec config.md "Specification version". Pre-releases of 1.x are accepted: runc's own spec says 1.0.2-dev. */
export function checkOciVersion(version: string, report: Report): void {
  const match = SEMVER.exec(version);
  if (match === null) {
    report(
      'ociVersion',
      `must be a semantic version such as "${OCI_VERSION}", got ${JSON.stringify(version)}`,
    );
  } else if (match[1] !== '1' || Number(match[2]) > MAX_MINOR) {
    report('ociVersion', `must be 1.0.0 to 1.${MAX_MINOR}.x, got ${JSON.stringify(version)}`);
  }
}
