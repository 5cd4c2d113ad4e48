import { readFileSync } from 'node:fs';
import t from 'tap';
import { cliReference } from '../../../cli/reference.js';

/** Tables as they are before the formatter aligns them. */
function unaligned(text: string): string {
  return text.replace(/ +\|/g, ' |').replace(/\| -{3,}/g, '| ---');
}

void t.test(
  'docs/cli.md is what the verbs say; node dist/cli/write-reference.js and npm run format renew it',
  async (t) => {
    t.equal(unaligned(readFileSync('docs/cli.md', 'utf8')), unaligned(await cliReference()));
  },
);
