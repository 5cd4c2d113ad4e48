import { z } from 'zod';
import { CGROUP_MODES, NETWORK_LOCKS } from '../checkpoint.js';
import { absolutePath } from './container.js';

const flag = z.boolean().exactOptional();

/** Members that both directions have: cli/checkpoint.ts, CriuOptions. */
const criuMembers = {
  imagePath: absolutePath.meta({ description: 'Directory of the images' }),
  workPath: absolutePath.exactOptional().meta({ description: 'Directory of logs; default: imagePath' }),
  criu: absolutePath
    .exactOptional()
    .meta({ description: 'The program; default: criu on the PATH of the daemon' }),
  tcpEstablished: flag,
  tcpClose: flag,
  tcpSkipInFlight: flag,
  linkRemap: flag,
  networkLock: z.enum(NETWORK_LOCKS).exactOptional(),
  externalUnixSockets: flag,
  shellJob: flag,
  fileLocks: flag,
  manageCgroups: z.enum(CGROUP_MODES).exactOptional(),
  autoDedup: flag,
  lazyPages: flag,
  emptyNetwork: flag,
};

export const checkpointRequestSchema = z
  .strictObject({
    ...criuMembers,
    leaveRunning: flag.meta({ description: 'Without it the container ends, and is deleted' }),
    preDump: flag.meta({ description: 'Memory only; the container goes on' }),
    parentPath: z
      .string()
      .min(1)
      .max(4095)
      .regex(/^[^/\0][^\0]*$/, 'a path relative to imagePath')
      .exactOptional(),
    pageServer: z
      .strictObject({ address: z.string().min(1).max(255), port: z.int().min(1).max(65_535) })
      .exactOptional(),
  })
  .meta({ id: 'CheckpointRequest' });

export const restoreRequestSchema = z
  .strictObject({
    ...criuMembers,
    bundle: absolutePath.meta({ description: 'Bundle directory' }),
    pidFile: absolutePath.exactOptional(),
    systemdCgroup: flag,
    lsmProfile: z.string().min(1).max(4095).exactOptional().meta({ description: 'TYPE:NAME' }),
    lsmMountContext: z.string().min(1).max(4095).exactOptional(),
  })
  .meta({ id: 'RestoreRequest' });
