import { readFileSync } from 'node:fs';
import t from 'tap';

const scripts = ['run.cjs', 'snapshot.cjs', 'web/undici.cjs'].map((name) => ({
  name,
  text: readFileSync(new URL(`../../../aworker/${name}`, import.meta.url), 'utf8'),
}));

for (const { name, text } of scripts) {
  t.test(
    `${name}: V8 optimises subclasses, since none is given in a static block the name that it has`,
    async (t) => {
      const blocks = text.matchAll(/\bclass (\w*)[^{\n]*\{\s*static \{\s*__name\(this, "(\w+)"\)/g);
      t.strictSame(
        [...blocks].filter(([, declared, given]) => declared === given).map(([, declared]) => declared),
        [],
      );
      const variables = text.matchAll(
        /\b(?:var|let|const) (\w+) = class [^{\n]*\{\s*static \{\s*__name\(this, "(\w+)"\)/g,
      );
      t.strictSame(
        [...variables]
          .filter(([, variable, given]) => variable === given)
          .map(([, , given]) => given)
          .filter((given) => !new RegExp(`var ${given} = class _${given}\\b`).test(text)),
        [],
      );
    },
  );
}

t.test('names that the bundler changed are given back', async (t) => {
  for (const { name, text } of scripts) t.match(text, /__name\(this, "\w+"\)/, name);
});
