import { z } from 'zod';

/** `linux.resources` of config.json (runtime-spec config-linux.md), checked by `oci-spec/`: what is absent stays as it is. */
export const resourcesRequestSchema = z.record(z.string(), z.unknown()).meta({
  id: 'Resources',
  description: 'linux.resources of the OCI specification; absent members stay as they are',
});
