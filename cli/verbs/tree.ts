import type { TreeNode } from '../seed-operations.js';
import { table } from '../table.js';
import { defineVerb } from '../verb.js';

export const verb = defineVerb({
  name: 'tree',
  summary: 'show seeds with their clones and memory',
  description:
    'Shows every seed and, below it, what was cloned from it, with the memory of each process: pages that it shares with\n' +
    'seed and siblings, and pages of its own. A clone whose seed has gone stands at the top, marked with it.',
  arguments: [],
  options: {
    format: {
      kind: 'string',
      short: 'f',
      value: 'FORMAT',
      choices: ['table', 'json'],
      help: 'table or json (default: table)',
    },
  },
  examples: [
    { command: 'tree', does: 'a table' },
    { command: 'tree --format json', does: 'an array of objects, sizes in bytes' },
  ],
  async run({ context, options }) {
    const nodes = await context.operations.tree();
    if (options.format === 'json') {
      await context.stdout(`${JSON.stringify(nodes)}\n`);
      return 0;
    }
    const header = ['ID', 'KIND', 'STATE', 'PID', 'SHARED', 'PRIVATE', 'TABLES'];
    const rows = nodes.map((node, index) => [
      `${branch(nodes, index)}${node.id}${node.orphan ? ` (of ${node.parent ?? ''}, gone)` : ''}`,
      node.kind,
      node.state,
      String(node.pid),
      size(node.memory?.shared),
      size(node.memory?.private),
      size(node.memory?.pageTables),
    ]);
    await context.stdout(table(header, rows));
    return 0;
  },
});

/** Whether a later node is a sibling: one of the same depth comes before any of a smaller. */
function hasSibling(nodes: readonly TreeNode[], index: number, depth: number): boolean {
  for (const later of nodes.slice(index + 1)) {
    if (later.depth < depth) return false;
    if (later.depth === depth) return true;
  }
  return false;
}

/** The lines that lead to a node. */
function branch(nodes: readonly TreeNode[], index: number): string {
  const depth = nodes[index]?.depth ?? 0;
  if (depth === 0) return '';
  const above = Array.from({ length: depth - 1 }, (_, level) =>
    hasSibling(nodes, index, level + 1) ? '│  ' : '   ',
  );
  return `${above.join('')}${hasSibling(nodes, index, depth) ? '├─ ' : '└─ '}`;
}

/** Mebibytes with one digit. */
function size(bytes: number | undefined): string {
  return bytes === undefined ? '-' : `${(bytes / 2 ** 20).toFixed(1)}M`;
}
