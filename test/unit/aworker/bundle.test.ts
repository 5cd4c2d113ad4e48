import { readFileSync } from 'node:fs';
import { test } from 'tap';

/** A class whose name is given in a static block: what it is assigned to, its own name, and the one that is given. */
const NAMED_IN_BLOCK =
  /(?:\b(?:var|let|const) (?<variable>\w+) = )?\bclass (?<own>(?!extends )\w+)?[^{\n]*\{\s*static \{\s*__name\(this, "(?<given>\w+)"\)/g;

for (const name of ['run.cjs', 'snapshot.cjs', 'web/undici.cjs']) {
  const text = readFileSync(new URL(`../../../aworker/${name}`, import.meta.url), 'utf8');
  const named = [...text.matchAll(NAMED_IN_BLOCK)].map(({ groups = {} }) => groups);

  void test(`${name}: V8 can optimise a subclass, since none is given in a static block the name that it has`, (t) => {
    t.same(
      named.filter(
        ({ variable, own, given }) => (own === '' || own === undefined ? variable : own) === given,
      ),
      [],
    );
    t.end();
  });

  void test(`${name}: what the bundler renamed has its name`, (t) => {
    t.ok(named.length > 0);
    t.end();
  });
}
