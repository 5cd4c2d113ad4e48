import { join } from 'node:path';
import type { TemporaryDaemon } from '../bench/daemon.js';
import { ociBundle } from '../bench/oci-bundle.js';
import { round } from '../bench/statistics.js';

const EXIT_CODE = 7;

export interface OciResult {
  readonly ok: boolean;
  readonly statuses: readonly string[];
  readonly exitCode: number | undefined;
  readonly createMs: number;
  readonly startMs: number;
  readonly deleteMs: number;
}

interface State {
  readonly status: string;
  readonly turf: { readonly exitCode?: number };
}

/** create, state, start, exit code, delete of an OCI bundle through the command line. */
export async function ociDemo(daemon: TemporaryDaemon): Promise<OciResult> {
  const program = ['sh', '-c', `echo hello from $(hostname); exit ${EXIT_CODE}`];
  const bundle = ociBundle(join(daemon.directory, 'bundle'), program);

  const state = async (): Promise<State> => JSON.parse((await daemon.turf('state', 'hello')).stdout) as State;
  const created = await daemon.turf('create', '--bundle', bundle, 'hello');
  const before = await state();
  const started = await daemon.turf('start', 'hello');
  await daemon.rest('GET', '/containers/hello/wait');
  const after = await state();
  const deleted = await daemon.turf('delete', 'hello');
  const statuses = [before.status, after.status];
  return {
    ok: statuses.join() === 'created,stopped' && after.turf.exitCode === EXIT_CODE,
    statuses,
    exitCode: after.turf.exitCode,
    createMs: round(created.ms),
    startMs: round(started.ms),
    deleteMs: round(deleted.ms),
  };
}
