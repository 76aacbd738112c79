// The packed extension in real VS Code: each check is something that a user sees or finds on disk.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { openEditor } from './editor.mjs';
import { EXTENSION, GHOSTNOTE, MODEL } from './places.mjs';

const vsix = join(EXTENSION, 'ghostnote.vsix');
const pictures = join(EXTENSION, process.argv.includes('--images') ? 'images' : join('e2e', 'out'));
const only = process.argv.find((arg) => arg.startsWith('--only='))?.slice('--only='.length);
const JIG = `X:1
T:The Irish Washerwoman
R:jig
M:6/8
L:1/8
K:G
|: BGG DGG | BGB dcB | cAA EAA | cAc edc |
BGG DGG | BGB dcB |`;

assert.ok(existsSync(vsix), `there is no ${vsix}: run npm run package`);
mkdirSync(pictures, { recursive: true });

let editor;
const file = (name) => join(editor.workspace, name);
const text = (name) => readFileSync(file(name), 'utf8');

async function until(what, holds, timeout = 15000) {
  for (const end = Date.now() + timeout; Date.now() < end; await editor.page.waitForTimeout(100)) {
    if (await holds()) {
      return;
    }
  }
  throw new Error(`waited ${timeout / 1000} s in vain until ${what}`);
}

/** Open a new file with the cursor at its end, and type the rest. */
async function write(name, before, typed) {
  writeFileSync(file(name), before);
  await editor.page.waitForTimeout(300);
  await editor.openFile(name);
  await editor.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
  await until('the server is ready', async () => /Ghostnote: (ready|the last suggestion)/.test(await editor.status.evaluate((item) => item.outerHTML)), 60000);
  await editor.page.keyboard.press('Control+End');
  await editor.page.keyboard.type(typed, { delay: 60 });
  // On a busy machine an automatic request may run out of time: then, as a user would, go on typing.
  for (let tries = 0; tries < 3 && !(await editor.ghost.waitFor({ timeout: 6000 }).then(() => true, () => false)); tries += 1) {
    await editor.page.keyboard.press('Backspace');
    await editor.page.keyboard.type(typed.slice(-1));
  }
  await editor.ghost.waitFor({ timeout: 10000 });
}

/** The whole ghost text, which the editor may draw in several pieces, without its spaces. */
async function ghostText() {
  const pieces = await editor.page.locator('.ghost-text-decoration, .ghost-text').allTextContents();
  return pieces.join('').replace(/[\s\u00b7\u00a0]/g, '');
}

function isValid(name) {
  execFileSync(GHOSTNOTE, ['check', file(name)], { stdio: 'pipe' });
}

const checks = {
  async 'ghost text appears while typing, Tab writes it to the file'() {
    const before = JIG.slice(0, -3);
    await write('tab.abc', before, 'B |');
    const ghost = await ghostText();
    assert.ok(ghost.length > 3, `a measure is shown: '${ghost}'`);
    await editor.page.screenshot({ path: join(pictures, 'ghost-text.png'), clip: { x: 0, y: 0, width: 1100, height: 620 } });
    await editor.page.keyboard.press('Tab');
    await until('the file holds the suggestion', () => text('tab.abc').length > JIG.length + 3);
    assert.ok(text('tab.abc').startsWith(JIG), 'what was typed must stay as it is');
    const added = text('tab.abc').slice(JIG.length);
    assert.match(added, /\|/, `a measure ends with a barline: '${added}'`);
    assert.ok(added.replace(/\s/g, '').startsWith(ghost), `'${ghost}' was shown, '${added}' written`);
    isValid('tab.abc');
  },

  async 'a note, then everything up to the barline, can be accepted'() {
    await write('part.abc', JIG.slice(0, -1), '|');
    await editor.page.keyboard.press('Control+ArrowRight');
    await until('a note is in the file', () => text('part.abc').length > JIG.length);
    const note = text('part.abc').slice(JIG.length);
    assert.doesNotMatch(note, /\|/, `one note only: '${note}'`);
    assert.match(note, /^\s*("[^"]*")?[\^_=]*[A-Ga-gz\[]/, `a note: '${note}'`);
    await editor.ghost.waitFor();
    await editor.page.keyboard.press('Alt+ArrowRight');
    await until('the barline is in the file', () => /\|/.test(text('part.abc').slice(JIG.length)));
    await editor.page.waitForTimeout(700);
    const measure = text('part.abc').slice(JIG.length);
    assert.equal(measure.match(/\|/g).length, 1, `one barline: '${measure}'`);
    isValid('part.abc');
  },

  async 'asked for, there are several candidates'() {
    await write('candidates.abc', JIG.slice(0, -1), '|');
    const first = await ghostText();
    await editor.page.keyboard.press('Alt+\\');
    await editor.page.waitForTimeout(2500);
    await editor.page.keyboard.press('Alt+]');
    await until('another candidate is shown', async () => ![first, ''].includes(await ghostText()));
  },

  async 'the preview draws the score, the suggestion in grey'() {
    await write('preview.abc', JIG.slice(0, -1), '|');
    await editor.command('Ghostnote: Open the Score Preview');
    const frame = await editor.frameWith('svg .abcjs-note');
    const written = JIG.split('K:G')[1].match(/[A-Ga-g]/g).length;
    await until('the suggestion is grey', async () => (await frame.locator('.abcjs-note.ghost').count()) > 0);
    const black = await frame.locator('.abcjs-note:not(.ghost)').count();
    assert.equal(black, written, 'each written note is drawn, and is not grey');
    await editor.page.screenshot({ path: join(pictures, 'preview.png') });
    await editor.page.keyboard.press('Tab');
    await editor.command('View: Close Other Editors in Group').catch(() => undefined);
  },

  async 'MusicXML gets ghost text, Tab writes valid MusicXML'() {
    const source = readFileSync(join(EXTENSION, '..', '..', 'examples', 'old-hundredth.musicxml'), 'utf8');
    const bars = source.indexOf('</measure>', source.indexOf('</measure>') + 1) + '</measure>'.length;
    const before = source.slice(0, bars);
    await write('hymn.musicxml', before, '\n');
    const had = text('hymn.musicxml').length;
    await editor.page.keyboard.press('Tab');
    await until('a measure is in the file', () => text('hymn.musicxml').length > had + 100);
    assert.match(text('hymn.musicxml').slice(bars), /<note[\s>][\s\S]*<\/note>/);
  },

  async 'suggestions can be turned off, and the status bar says so'() {
    writeFileSync(file('off.abc'), JIG);
    await editor.page.waitForTimeout(500);
    await editor.openFile('off.abc');
    await editor.command('Ghostnote: Turn Suggestions On or Off');
    await editor.page.locator('.quick-input-list', { hasText: 'Turn off for ABC' }).waitFor();
    await editor.page.keyboard.press('Enter');
    await until('the status bar says off', async () => /off/.test((await editor.status.textContent()) ?? ''));
    await editor.page.keyboard.press('Control+End');
    await editor.page.keyboard.type(' ', { delay: 50 });
    await editor.page.waitForTimeout(1500);
    assert.equal(await editor.ghost.count(), 0, 'no ghost text where suggestions are off');
    await editor.command('Ghostnote: Turn Suggestions On or Off');
    await editor.page.locator('.quick-input-list', { hasText: 'Turn on for ABC' }).waitFor();
    await editor.page.keyboard.press('Enter');
    await until('the status bar says on', async () => !/off/.test((await editor.status.textContent()) ?? ''));
  },

  async 'a server that is killed comes back'() {
    const serving = () => execFileSync('sh', ['-c', `for p in $(pgrep -f 'ghostnote serve'); do tr '\\0' '\\n' < /proc/$p/environ | grep -q '^HOME=${editor.home}$' && echo $p; done; true`]).toString().trim();
    await write('still.abc', JIG.slice(0, -1), '|');
    const victim = serving().split('\n')[0];
    assert.ok(victim, 'the server of this editor runs');
    process.kill(Number(victim), 'SIGKILL');
    await until('another server runs', () => serving() !== '' && serving() !== victim, 20000);
    await write('again.abc', JIG.slice(0, -1), '|');
  },
};

const installs = {
  async 'without a server, a yes installs the packed one and ghost text appears'() {
    writeFileSync(file('first.abc'), JIG.slice(0, -1));
    await editor.openFile('first.abc');
    await editor.page.locator('.notification-toast .monaco-button', { hasText: 'Install' }).first().click({ timeout: 30000 });
    await until('the server is installed', async () => /Ghostnote: ready/.test(await editor.status.evaluate((item) => item.outerHTML)), 240000);
    await write('second.abc', JIG.slice(0, -1), '|');
  },
};

const isInstalling = process.argv.includes('--install');
const chosen = isInstalling ? installs : checks;
const settings = { 'ghostnote.path': isInstalling ? '' : GHOSTNOTE, 'ghostnote.model': MODEL };
editor = await openEditor({ vsix, settings });
let failed = 0;
try {
  for (const [name, check] of Object.entries(chosen)) {
    if (only !== undefined && !name.includes(only)) {
      continue;
    }
    try {
      await check();
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack}`);
      await editor.page.screenshot({ path: join(EXTENSION, 'e2e', 'out', `failed-${failed}.png`) }).catch(() => undefined);
    }
  }
} finally {
  execFileSync('sh', ['-c', `find '${editor.data}/logs' -name '*Ghostnote*' -o -name '*exthost*.log' | xargs -d '\\n' cat > '${join(EXTENSION, 'e2e', 'out', 'ghostnote.log')}'`]);
  await editor.close();
}
process.exitCode = failed > 0 ? 1 : 0;
