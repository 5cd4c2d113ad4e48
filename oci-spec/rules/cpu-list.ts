/** Whether a text is a list of CPUs or memory nodes as cpuset(7) writes it: `0-3,7`; strides `0-6:2/3` are no part of the specification. */
export function isCpuList(text: string): boolean {
  const parts = text.replace(/\n$/, '').split(',');
  return parts.every((part) => {
    const match = /^ *([0-9]{1,6})(?:-([0-9]{1,6}))? *$/.exec(part);
    return match !== null && (match[2] === undefined || Number(match[2]) >= Number(match[1]));
  });
}
