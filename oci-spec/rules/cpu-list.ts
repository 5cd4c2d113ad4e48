/** CONFIG_NR_CPUS and CONFIG_NODES_SHIFT allow no more than 8192 CPUs and 1024 nodes. */
const LAST = 8191;

/** Whether a text is a list of CPUs or memory nodes as cpuset(7) writes it: `0-3,7`; strides `0-6:2/3` are no part of the specification. */
export function isCpuList(text: string): boolean {
  return rangesOf(text).every((range) => range !== undefined);
}

/** The numbers of such a list, in order, each once; of what is no range, none. */
export function parseCpuList(text: string): number[] {
  const numbers = new Set<number>();
  for (const range of rangesOf(text)) {
    for (let number = range?.[0] ?? 0; number <= (range?.[1] ?? -1); number++) numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b);
}

function rangesOf(text: string): (readonly [first: number, last: number] | undefined)[] {
  return text
    .replace(/\n$/, '')
    .split(',')
    .map((part) => {
      const match = /^ *([0-9]{1,6})(?:-([0-9]{1,6}))? *$/.exec(part);
      if (match === null) return undefined;
      const first = Number(match[1]);
      const last = Number(match[2] ?? match[1]);
      return first <= last && last <= LAST ? [first, last] : undefined;
    });
}
