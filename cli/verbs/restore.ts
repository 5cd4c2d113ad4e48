import { bundleOptions, toCreateOptions } from '../create-options.js';
import { criuOptions, toCriuOptions } from '../criu-options.js';
import { TurfError } from '../turf-error.js';
import { defineVerb } from '../verb.js';
import { exitCodeOfStatus } from '../wait-status.js';

export const verb = defineVerb({
  name: 'restore',
  summary: 'make a container from the images of a checkpoint',
  description:
    'Makes a container from a bundle, with the processes that checkpoint saved instead of its program. In the foreground,\n' +
    'waits until its process ends, deletes the container and exits with its exit code.',
  arguments: [{ name: 'ID', help: 'name of the new container' }],
  options: {
    ...bundleOptions,
    ...criuOptions,
    detach: { kind: 'flag', short: 'd', help: 'exit once the container runs' },
    'no-subreaper': { kind: 'flag', help: 'accepted for compatibility; the client is no subreaper' },
    'lsm-profile': {
      kind: 'string',
      value: 'TYPE:NAME',
      help: 'label of the processes: apparmor or selinux',
    },
    'lsm-mount-context': { kind: 'string', value: 'CONTEXT', help: 'SELinux context of its mounts' },
  },
  examples: [
    {
      command: 'restore --detach --image-path /var/tmp/hello --bundle /srv/hello hello',
      does: 'go on where a checkpoint was made',
    },
  ],
  async run(invocation) {
    const { context, options } = invocation;
    const create = toCreateOptions({
      ...invocation,
      options: { ...options, seed: undefined, 'preserve-fds': undefined },
    });
    if (create.consoleSocket !== undefined)
      throw new TurfError('TURF_ERR_UNSUPPORTED', '--console-socket: a terminal cannot be restored', {
        path: '--console-socket',
      });
    await context.operations.restore({
      ...toCriuOptions(invocation),
      create,
      ...(options['lsm-profile'] ? { lsmProfile: options['lsm-profile'] } : {}),
      ...(options['lsm-mount-context'] ? { lsmMountContext: options['lsm-mount-context'] } : {}),
    });
    if (options.detach) return 0;
    const exitCode = exitCodeOfStatus(await context.foreground.wait({ terminal: false }));
    await context.operations.delete(create.id, { force: true });
    return exitCode;
  },
});
