import { basename } from 'node:path';
import type { Limit } from './limit.js';

/** What a device has that no line names, by the file's name: v1 files take 0, v2 files a word. */
const ABSENT: readonly (readonly [RegExp, string])[] = [
  [/^io\.max$/, 'rbps=max wbps=max riops=max wiops=max'],
  [/^io\.(bfq\.)?weight$/, 'default'],
  [/^rdma\.max$/, 'hca_handle=max hca_object=max'],
  [/^blkio\./, '0'],
  [/^net_prio\.ifpriomap$/, '0'],
];

/** Files of `KEY VALUE` lines in which a limit changes one line. */
const KEYED = /^(io\.(max|latency|cost\..*)|rdma\.max|blkio\..*_device|net_prio\.ifpriomap)$/;

/**
 * What has to be written to a control file to undo a limit.
 *
 * @param file that is about to be written
 * @param content of it, before
 * @param value that is about to be written
 * @returns values for write(2), one each; empty where the file does not tell
 */
export function priorValues(file: string, content: string, value: Limit['value']): readonly string[] {
  const name = basename(file);
  const lines = content.split('\n').filter((line) => line.trim() !== '');
  if (name === 'memory.oom_control') {
    const line = lines.find((one) => one.startsWith('oom_kill_disable '));
    return line === undefined ? [] : [line.slice('oom_kill_disable '.length)];
  }
  /* an empty list means the parent's; a write of no bytes never reaches the kernel */
  if (/^cpuset\.(cpus|mems)$/.test(name)) return [lines[0] ?? '\n'];
  /* reads as 0 while cpu.idle is on, and comes back by itself with cpu.idle */
  if (name === 'cpu.weight' && lines[0] === '0') return [];
  const isWeight = /^io\.(bfq\.)?weight$/.test(name);
  if (!isWeight && !KEYED.test(name)) return lines;
  /* `default 100`: the weight of every device that has none of its own */
  const key = value.includes(' ') ? value.slice(0, value.indexOf(' ')) : 'default';
  const line = lines.find((one) => one.startsWith(`${key} `));
  if (line !== undefined) return [line];
  if (isWeight && key === 'default') return lines.length === 1 ? lines : [];
  const absent = ABSENT.find(([pattern]) => pattern.test(name))?.[1];
  return absent === undefined ? [] : [`${key} ${absent}`];
}
