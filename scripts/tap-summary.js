import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** Prints the counts of TAP files, each reason for a skip with its count, and each failure with its diagnostics. */
for (const file of process.argv.slice(2)) {
  const skips = new Map();
  const failures = [];
  const path = [];
  let passed = 0;
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    const heading = /^( *)# Subtest: (.*)$/.exec(line);
    if (heading !== null) path[heading[1].length / 4] = heading[2];
    const point = /^( *)(not )?ok \d+(?: - )?(.*)$/.exec(line);
    if (point === null) continue;
    const [, indent, not, text] = point;
    const skip = /# SKIP ?(.*)$/i.exec(text);
    if (skip !== null) {
      const reason = skip[1].replace(/ *\{$/, '') || 'no reason given';
      skips.set(reason, (skips.get(reason) ?? 0) + 1);
      continue;
    }
    // tap puts the time on the line that closes a subtest: it only repeats what its assertions said, unless it
    // failed as a whole (exception, time-out, signal).
    const closes = text.includes('# time=');
    const title = [...path.slice(0, indent.length / 4), text.replace(/ # time=.*$/, '')].join(' > ');
    if (not === undefined) passed += closes ? 0 : 1;
    else if (!closes || !failures.some((failure) => failure.title.startsWith(title)))
      failures.push({ title, diagnostics: diagnosticsAfter(lines, index, indent.length) });
  }
  const skipped = [...skips.values()].reduce((sum, count) => sum + count, 0);
  console.log(
    `${basename(file, '.tap')}: ${passed} assertions passed, ${failures.length} failed, ${skipped} skipped`,
  );
  for (const [reason, count] of skips) console.log(`  skipped ${count}: ${reason}`);
  for (const { title, diagnostics } of failures) console.log(`  FAILED ${title}\n${diagnostics}`);
}

function diagnosticsAfter(lines, index, indent) {
  if (lines[index + 1]?.trim() !== '---') return '';
  const block = [];
  for (const line of lines.slice(index + 2)) {
    if (line.trim() === '...' || block.length === 40) break;
    block.push(`    ${line.slice(indent + 2)}`);
  }
  return block.join('\n');
}
