import { type OciConfig } from '../../oci-spec/config.js';
import { directoryInBundle, rootDirectory } from '../containers/bundle.js';

/**
 * Where a worker's code lies: a directory of the host, or a directory in a container's root, which must be resolved inside of it each time:
 * whoever made the image may have put links there.
 */
export type CodeDirectory = string | { readonly root: string; readonly path: string };

/**
 * The directory that `turf.code` names: a relative one in the bundle, an absolute one in the container's root file system.
 *
 * @throws TurfError TURF_ERR_CONFIG
 */
export function codeOfBundle(bundle: string, config: OciConfig, code: string): CodeDirectory {
  if (!code.startsWith('/')) return directoryInBundle(bundle, code, 'turf.code');
  return { root: rootDirectory(bundle, config), path: code };
}
