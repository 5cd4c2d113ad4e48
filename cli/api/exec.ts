import { z } from 'zod';

/** Bytes of output that an answer holds unless the request says otherwise, and at most. */
const OUTPUT_LIMIT = 1024 * 1024;
const LARGEST_LIMIT = 16 * 1024 * 1024;

const id = z.int().min(0).max(0xffff_fffe);

/** A program to run in a container: as the options of `turf exec`. Standard input is text in `stdin`, or any bytes in `stdinBase64`. */
export const execRequestSchema = z
  .strictObject({
    args: z.array(z.string()).min(1).exactOptional(),
    process: z.record(z.string(), z.unknown()).exactOptional().meta({
      description: '`process` of the OCI specification; what it leaves out is that of the container',
    }),
    cwd: z.string().regex(/^\//, 'an absolute path').exactOptional(),
    env: z.array(z.string().regex(/^[^=]+=/, 'NAME=VALUE')).exactOptional(),
    user: z.strictObject({ uid: id, gid: id.exactOptional() }).exactOptional(),
    additionalGids: z.array(id).exactOptional(),
    capabilities: z.array(z.string()).exactOptional(),
    noNewPrivileges: z.boolean().exactOptional(),
    apparmorProfile: z.string().exactOptional(),
    selinuxLabel: z.string().exactOptional(),
    cgroup: z.array(z.string()).exactOptional(),
    ignorePaused: z.boolean().exactOptional(),
    stdin: z.string().exactOptional(),
    stdinBase64: z.base64().exactOptional(),
    timeoutMs: z.int().min(1).max(86_400_000).exactOptional().meta({ description: 'SIGKILL after so long' }),
    outputLimit: z.int().min(0).max(LARGEST_LIMIT).default(OUTPUT_LIMIT).meta({
      description: 'Bytes of each stream in the answer; what comes after is read and dropped',
    }),
  })
  .refine(({ args, process }) => (args === undefined) !== (process === undefined), {
    path: ['args'],
    message: 'either args or process',
  })
  .refine(({ stdin, stdinBase64 }) => stdin === undefined || stdinBase64 === undefined, {
    path: ['stdinBase64'],
    message: 'stdin and stdinBase64 exclude each other',
  })
  .meta({ id: 'ExecRequest' });

/** How the program ended, and what it wrote: text where it is UTF-8, else base64. */
export const execResultSchema = z
  .object({
    pid: z.int(),
    exitCode: z.int().exactOptional(),
    exitSignal: z.string().exactOptional(),
    stdout: z.string().exactOptional(),
    stdoutBase64: z.base64().exactOptional(),
    stderr: z.string().exactOptional(),
    stderrBase64: z.base64().exactOptional(),
    truncated: z.boolean().meta({ description: 'There was more output than the limit' }),
  })
  .meta({ id: 'ExecResult' });

export type ExecWireResult = z.infer<typeof execResultSchema>;

/** A line of the stream: first `started`, then output as it comes, last how the program ended. */
export const execLineSchema = z.union([
  z.strictObject({ pid: z.int() }),
  z.strictObject({ stream: z.enum(['stdout', 'stderr']), data: z.base64() }),
  z.strictObject({ exitCode: z.int().exactOptional(), exitSignal: z.string().exactOptional() }),
]);
