import { type OciConfig } from '../../oci-spec/config.js';
import { parseConfig } from '../../oci-spec/parse.js';
import { type StateStore } from './state-store.js';

/** The config that the container was made from, as create kept it. */
export function storedConfig(store: StateStore, id: string): OciConfig {
  return parseConfig(store.readConfig(id));
}
