import { isAbsolute } from 'node:path';
import type { CheckpointOptions } from '../checkpoint.js';
import { criuOptions, toCriuOptions } from '../criu-options.js';
import { usageError } from '../options.js';
import { TurfError } from '../turf-error.js';
import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'checkpoint',
  summary: 'save the processes of a running container',
  description:
    'Has CRIU write the processes of a container, their memory included, into a directory, from which restore makes a\n' +
    'container that goes on where this one was. The container ends and is deleted, unless it is left running. Where CRIU\n' +
    'fails, the container goes on.',
  arguments: [{ name: 'ID', help: 'the container' }],
  options: {
    ...criuOptions,
    'tcp-skip-in-flight': { kind: 'flag', help: 'leave out connections that nobody has accepted yet' },
    'link-remap': { kind: 'flag', help: 'allow open files that have been deleted' },
    'parent-path': {
      kind: 'string',
      value: 'DIR',
      help: 'images of an earlier pre-dump, relative to those of this one',
    },
    'leave-running': { kind: 'flag', help: 'let the container go on' },
    'pre-dump': { kind: 'flag', help: 'save the memory only, and let the container go on' },
    'page-server': {
      kind: 'string',
      value: 'ADDRESS:PORT',
      help: 'criu page-server that memory is sent to',
    },
    'status-fd': { kind: 'integer', value: 'FD', help: 'not supported: CRIU is no child of the caller' },
  },
  examples: [
    { command: 'checkpoint --image-path /var/tmp/hello hello', does: 'save hello, and end it' },
    { command: 'checkpoint --leave-running hello', does: 'save it into ./checkpoint, and let it go on' },
  ],
  async run(invocation) {
    const { options } = invocation;
    if (options['status-fd'] !== undefined)
      throw new TurfError('TURF_ERR_UNSUPPORTED', '--status-fd: CRIU is no child of the caller', {
        path: '--status-fd',
      });
    const parent = options['parent-path'] ?? '';
    if (isAbsolute(parent)) throw usageError('--parent-path must be relative to --image-path');
    await invocation.context.operations.checkpoint({
      id: invocation.argument(0),
      ...toCriuOptions(invocation),
      ...(options['tcp-skip-in-flight'] ? { tcpSkipInFlight: true } : {}),
      ...(options['link-remap'] ? { linkRemap: true } : {}),
      ...(options['leave-running'] ? { leaveRunning: true } : {}),
      ...(options['pre-dump'] ? { preDump: true } : {}),
      ...(parent === '' ? {} : { parentPath: parent }),
      ...pageServer(options['page-server'] ?? ''),
    });
    return 0;
  },
});

function pageServer(text: string): Pick<CheckpointOptions, 'pageServer'> {
  if (text === '') return {};
  const [, address = '', port = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (address === '' || Number(port) > 65_535)
    throw usageError(`--page-server ${text}: must be ADDRESS:PORT`);
  return { pageServer: { address, port: Number(port) } };
}
