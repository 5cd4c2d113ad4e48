/** Bytes of the kernel's words: sched_setaffinity(2) takes whole ones. */
const WORD_BYTES = 8;

/**
 * The bit mask of a list of CPUs: bit n of byte n/8 is CPU n.
 *
 * @param list as isCpuList accepts it: `0-3,7`
 */
export function cpuMask(list: string): Buffer {
  const ranges = list.split(',').map((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return { first, last };
  });
  const highest = Math.max(...ranges.map(({ last }) => last));
  const mask = Buffer.alloc((Math.floor(highest / (8 * WORD_BYTES)) + 1) * WORD_BYTES);
  for (const { first, last } of ranges)
    for (let cpu = first; cpu <= last; cpu++) mask[cpu >> 3] = (mask[cpu >> 3] ?? 0) | (1 << (cpu & 7));
  return mask;
}
