// The packed extension in real VS Code: each check is something that a user sees, hears or finds on disk.
//
//   npm run e2e                     every check
//   npm run e2e -- --only=TEXT      the checks whose name has the text
//   npm run e2e -- --offline        not the installation of the packed server, which needs the Python package index
//   npm run e2e -- --images         puts the pictures of the documentation into images/
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { accessible } from './accessible.mjs';
import { openEditor } from './editor.mjs';
import { finding, pathWithServer } from './finding.mjs';
import { emptyPath, installing } from './installing.mjs';
import { packNeighbour } from './neighbour.mjs';
import { neighbouring } from './neighbouring.mjs';
import { CHROMIUM, EXTENSION, GHOSTNOTE, MODEL, NODE, SERVER } from './places.mjs';
import { previewing } from './previewing.mjs';
import { running } from './running.mjs';
import { silent } from './silent.mjs';
import { welcoming } from './welcoming.mjs';
import { writing } from './writing.mjs';

const OUT = join(EXTENSION, 'e2e', 'out');
const vsix = join(EXTENSION, 'ghostnote.vsix');
const only = process.argv.find((arg) => arg.startsWith('--only='))?.slice('--only='.length) ?? '';
const has = (option) => process.argv.includes(option);
const DOCUMENTED = ['ghost-text', 'preview', 'candidates', 'preview-musicxml', 'high-contrast-candidates'];

for (const [path, way] of [[vsix, 'npm run package'], [NODE, 'npm run e2e:setup'], [SERVER, 'npm run e2e:setup'], [CHROMIUM, 'apt-get install chromium'], [GHOSTNOTE, 'make install']]) {
  assert.ok(existsSync(path), `there is no ${path}: run ${way}`);
}
mkdirSync(OUT, { recursive: true });
const results = { ok: 0, failed: 0 };

/** Check after check in one editor. */
async function checkAll(what, checks, options, more = {}) {
  const chosen = Object.entries(checks).filter(([name]) => name.includes(only));
  if (chosen.length === 0) {
    return;
  }
  const editor = Object.assign(await openEditor({ extensions: [vsix], pictures: OUT, ...options }), more);
  try {
    for (const [name, check] of chosen) {
      const began = Date.now();
      try {
        await editor.tidy();
        await check(editor);
        results.ok += 1;
        console.log(`ok      ${name} (${Math.round((Date.now() - began) / 1000)} s)`);
      } catch (error) {
        results.failed += 1;
        console.log(`FAILED  ${name}\n${error.stack}`);
        await editor.page.screenshot({ path: join(OUT, `failed-${results.failed}.png`) }).catch(() => undefined);
      }
    }
  } finally {
    try {
      writeFileSync(join(OUT, `${what}.log`), editor.log());
    } finally {
      await editor.close();
    }
  }
}

const settings = { 'ghostnote.path': GHOSTNOTE, 'ghostnote.model': MODEL };
await checkAll('editing', { ...writing, ...previewing, ...accessible, ...running, ...welcoming, ...silent }, { settings });

const folder = mkdtempSync(join(tmpdir(), 'ghostnote-e2e-programs-'));
const neighbour = packNeighbour(join(folder, 'neighbour.vsix'));
// The address lets the neighbour use what the editor has not promised to keep: one extension yielding to another.
const query = `&payload=${encodeURIComponent(JSON.stringify([['enableProposedApi', '']]))}`;
await checkAll('neighbouring', neighbouring, { settings, extensions: [vsix, neighbour], query });
const programs = pathWithServer(join(folder, 'found'));
await checkAll('finding', finding, { settings: { 'ghostnote.model': MODEL }, path: programs }, { programs });
if (has('--offline')) {
  console.log('LEFT OUT: the installation of the packed server (--offline)');
} else {
  const none = emptyPath(join(folder, 'none'));
  await checkAll('installing', installing, { settings: { 'ghostnote.model': MODEL }, path: none }, { programs: none });
}
rmSync(folder, { recursive: true, force: true });
if (has('--images')) {
  DOCUMENTED.forEach((name) => copyFileSync(join(OUT, `${name}.png`), join(EXTENSION, 'images', `${name}.png`)));
}
console.log(`${results.ok} ok, ${results.failed} failed`);
process.exitCode = results.failed > 0 || results.ok === 0 ? 1 : 0;
