import { writeFileSync } from 'node:fs';
import { cliReference } from './reference.js';

writeFileSync('docs/cli.md', await cliReference());
