/** Name and value of a variable written as `NAME=value`; without a value it is empty. */
export function splitVariable(variable: string): [name: string, value: string] {
  const at = variable.indexOf('=');
  return at < 0 ? [variable, ''] : [variable.slice(0, at), variable.slice(at + 1)];
}
