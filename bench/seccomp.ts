import { existsSync, readFileSync } from 'node:fs';
import { arch } from 'node:process';
import { join } from 'node:path';
import { interleaved } from './interleaved.js';
import { CAPABILITIES, ociBundle } from './oci-bundle.js';
import type { Peer } from './peers.js';
import { row, type Row } from './row.js';

/** podman's default profile, in the form of containers/common: seccomp.json(5). */
const PROFILE = '/usr/share/containers/seccomp.json';

interface Condition {
  readonly arches?: readonly string[];
  readonly caps?: readonly string[];
}

interface Profile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly archMap: readonly {
    readonly architecture: string;
    readonly subArchitectures: readonly string[];
  }[];
  readonly syscalls: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly args: readonly object[] | null;
    readonly errnoRet?: number;
    readonly includes: Condition;
    readonly excludes: Condition;
  }[];
}

/** What engines make of such a profile for a container on this machine: the form of runtime-spec, config-linux.md "Seccomp". */
function ociSeccomp(profile: Profile): object {
  const [machine, spec] = arch === 'arm64' ? ['arm64', 'SCMP_ARCH_AARCH64'] : ['amd64', 'SCMP_ARCH_X86_64'];
  const also = profile.archMap.find(({ architecture }) => architecture === spec)?.subArchitectures ?? [];
  const applies = ({ includes, excludes }: Profile['syscalls'][number]): boolean =>
    (includes.arches?.includes(machine) ?? true) &&
    (includes.caps?.every((name) => CAPABILITIES.includes(name)) ?? true) &&
    !(excludes.arches?.includes(machine) ?? false) &&
    !(excludes.caps?.some((name) => CAPABILITIES.includes(name)) ?? false);
  const { defaultAction, defaultErrnoRet } = profile;
  return {
    defaultAction,
    ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }),
    architectures: [spec, ...also],
    syscalls: profile.syscalls.filter(applies).map(({ names, action, args, errnoRet }) => ({
      names,
      action,
      ...(args === null || args.length === 0 ? {} : { args }),
      ...(errnoRet === undefined ? {} : { errnoRet }),
    })),
  };
}

/** create + start with and without podman's default profile, and by how much it makes them longer. */
export async function seccompProfile(
  peers: readonly Peer[],
  directory: string,
  runs: number,
): Promise<{ rows: Row[]; notes: string[] }> {
  if (!existsSync(PROFILE)) return { rows: [], notes: [`seccomp: ${PROFILE} is not installed`] };
  const seccomp = ociSeccomp(JSON.parse(readFileSync(PROFILE, 'utf8')) as Profile);
  const without = ociBundle(join(directory, 'no-filter'), ['sleep', '1000']);
  const filtered = ociBundle(join(directory, 'filter'), ['sleep', '1000'], seccomp);
  const started = async (peer: Peer, bundle: string, round: number): Promise<number> => {
    const id = `bench-${process.pid}-seccomp-${round}`;
    const ms = await peer.time(['create', '--bundle', bundle, id], ['start', id]);
    await peer.time(['delete', '--force', id]);
    return ms;
  };
  const taken = await interleaved(peers, runs, async (peer, round) => ({
    without: await started(peer, without, round),
    filtered: await started(peer, filtered, round),
  }));
  const rows = [...taken].flatMap(([{ name: who }, pairs]): Row[] => [
    row(
      'create + start, no profile',
      who,
      'ms',
      pairs.map((pair) => pair.without),
    ),
    row(
      "create + start, podman's profile",
      who,
      'ms',
      pairs.map((pair) => pair.filtered),
    ),
    row(
      "podman's profile adds",
      who,
      '%',
      pairs.map((pair) => (pair.filtered / pair.without - 1) * 100),
    ),
  ]);
  return { rows, notes: [] };
}
