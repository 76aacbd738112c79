// The licences of the packages that are bundled, in one file.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Packages that come bundled themselves: what they depend on is in them. */
const BUNDLED = ['opensheetmusicdisplay'];

/** @param inputs the files that were bundled, as esbuild names them */
export function writeLicenses(inputs, file) {
  const folders = inputs.flatMap((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []);
  const inside = BUNDLED.flatMap(dependencies).map((name) => join('node_modules', name));
  const all = [...new Set([...folders, ...inside])].sort();
  writeFileSync(file, all.map(licenseOf).join('\n'));
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** What a package depends on, at any depth; types are in no bundle. */
function dependencies(name) {
  const direct = Object.keys(manifestOf(join('node_modules', name)).dependencies ?? {}).filter((one) => !one.startsWith('@types/'));
  return direct.flatMap((one) => [one, ...dependencies(one)]);
}

function licenseOf(folder) {
  const { name, version, license, author } = manifestOf(folder);
  const files = readdirSync(folder).filter((one) => /^licen[cs]e[^.]*(\.(md|markdown|txt))?$/i.test(one));
  const text = files.map((one) => readFileSync(join(folder, one), 'utf8').trim()).join('\n\n');
  return `${'='.repeat(20)} ${name} ${version}\n\n${text || `${license}. ${author?.name ?? author}`}\n`;
}
