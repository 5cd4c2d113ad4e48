// Bundles what a worker's start loads: undici and the decoders of rare encodings into one file each, the runtime into the script that a startup
// snapshot is built from, and into the one that bin/aworker runs.
import { readFile, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const common = {
  bundle: true,
  keepNames: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  logLevel: 'warning',
};

/** A module goes on to believe that it lies where it was compiled to: beside the script that this process was started with, also where that runs from a snapshot. */
const places = {
  name: 'places',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, async ({ path }) => {
      const contents = await readFile(path, 'utf8');
      return {
        contents: contents.replaceAll('import.meta.url', `placeOf(${JSON.stringify(relative(dist, path))})`),
      };
    });
  },
};

/**
 * esbuild names a function or class that it may have renamed by a call. Where it has not, the call is for nothing, and does harm in a class: V8 never
 * manages to optimise the constructor of a subclass that is given its name in a static block.
 */
const NAMED_ANYWAY = [
  /(?<=\n)[ \t]*__name\((\w+), "\1"\);\n/g,
  /(?<=\b(?:var|let|const) (\w+) = class(?: extends [\w.]+)? \{\n)\s*static \{\n\s*__name\(this, "\1"\);\n\s*\}\n/g,
  /(?<=\bclass (\w+)(?: extends [\w.]+)? \{\n)\s*static \{\n\s*__name\(this, "\1"\);\n\s*\}\n/g,
];

/** Builds what `options` say into `outfile`. */
async function bundle(options) {
  const { outputFiles } = await build({ ...common, ...options, write: false });
  for (const { path, text } of outputFiles)
    await writeFile(
      path,
      NAMED_ANYWAY.reduce((code, call) => code.replace(call, ''), text),
    );
}

await bundle({
  stdin: {
    contents: `module.exports = {
      ...require('undici/index-fetch.js'),
      Agent: require('undici/lib/dispatcher/agent.js'),
      timers: require('undici/lib/util/timers.js'),
    };`,
    resolveDir: root,
  },
  outfile: `${dist}aworker/web/undici.cjs`,
});
await bundle({
  stdin: { contents: `module.exports = require('@exodus/bytes/encoding.js');`, resolveDir: root },
  minify: true,
  outfile: `${dist}aworker/web/encoding.cjs`,
});
/**
 * The runtime as one script, which is read and compiled in a third of the time of its sixty modules.
 *
 * @param place what names a file beside its modules when it runs
 */
const bundleRuntime = (name, place) =>
  bundle({
    entryPoints: [`${dist}aworker/${name}.js`],
    outfile: `${dist}aworker/${name}.cjs`,
    plugins: [places],
    banner: {
      js: `const ownProcess = require('node:process'), { pathToFileURL } = require('node:url');
const placeOf = (file) => new URL('../' + file, pathToFileURL(${place})).href;`,
    },
  });

// A snapshot runs elsewhere than it was built.
await bundleRuntime('snapshot', 'ownProcess.argv[1]');
await bundleRuntime('run', '__filename');
