import koffi from 'koffi';
import { checkResult, LIBTURF_PATH } from './libturf.js';

/**
 * Opens a file with another effective uid, so that the kernel judges later writes by that uid.
 *
 * @param euid as the daemon's user namespace numbers it
 * @param path absolute path
 * @param flags of open(2)
 * @returns a close-on-exec descriptor that the caller owns
 * @throws KernelError
 */
export type OpenAs = (euid: number, path: string, flags: number) => number;

/** Binds `turf_open_as` (native-shim/lib/open-as.h). */
export function loadOpenAs(path: string = LIBTURF_PATH): OpenAs {
  const openAs = koffi.load(path).func('int turf_open_as(uint32_t euid, const char *path, int flags)');
  return (euid, file, flags) => checkResult(`open ${file} as uid ${euid}`, Number(openAs(euid, file, flags)));
}
