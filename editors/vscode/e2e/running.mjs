// The server's life, the settings and the status bar; and .mxl files.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { strToU8, unzipSync, zipSync } from 'fflate';

import { serving } from './processes.mjs';
import { hymn, JIG } from './scores.mjs';

export const running = {
  async 'the status bar says how long it took, and which model runs where'(editor) {
    await editor.write('status.abc', JIG.slice(0, -1), '|');
    await editor.until('the time is shown', async () => /\d+ ms/.test((await editor.status.textContent()) ?? ''));
    await editor.until('the tip tells the model', async () => {
      await editor.page.mouse.move(400, 200);
      await editor.status.hover();
      return editor.page.locator('.monaco-hover', { hasText: /Model: .*million parameters.* on cpu/ }).waitFor({ timeout: 3000 }).then(() => true, () => false);
    });
    await editor.picture('status', { x: 600, y: 480, width: 600, height: 160 });
  },

  async 'suggestions can be turned off for a language and for a workspace'(editor) {
    await editor.open('off.abc', JIG);
    await editor.ready();
    for (const [place, file] of [['for ABC', join(editor.data, 'User', 'settings.json')], ['in this workspace', editor.path('.vscode/settings.json')]]) {
      await editor.choose('Ghostnote: Turn Suggestions On or Off', `Turn off ${place}`);
      await editor.until('the status bar says off', async () => /off/.test((await editor.status.textContent()) ?? ''));
      assert.match(readFileSync(file, 'utf8'), /"ghostnote\.enabled": false/);
      await editor.press('Control+End');
      await editor.type(' ');
      await editor.page.waitForTimeout(1500);
      assert.equal(await editor.ghost.count(), 0, 'no ghost text where suggestions are off');
      await editor.choose('Ghostnote: Turn Suggestions On or Off', `Turn on ${place}`);
      await editor.until('the status bar says on', async () => !/off/.test((await editor.status.textContent()) ?? ''));
    }
  },

  async 'a suggestion that is shown goes when suggestions are turned off'(editor) {
    await editor.write('hidden.abc', JIG.slice(0, -1), '|');
    editor.set({ 'ghostnote.enabled': false });
    await editor.until('the suggestion is gone', async () => (await editor.ghost.count()) === 0);
  },

  async 'settings take effect at once: measures, and only when asked'(editor) {
    editor.set({ 'ghostnote.measures': 2, 'ghostnote.trigger': 'manual' });
    await editor.open('settings.abc', JIG.slice(0, -1));
    await editor.ready();
    await editor.page.waitForTimeout(1000);
    await editor.type('|');
    await editor.page.waitForTimeout(2000);
    assert.equal(await editor.ghost.count(), 0, 'nothing unasked');
    await editor.until('two measures are suggested', async () => {
      await editor.press('Alt+\\');
      await editor.page.waitForTimeout(2000);
      return ((await editor.ghostText()).match(/\|/g) ?? []).length === 2;
    });
  },

  async 'a server that is killed comes back'(editor) {
    await editor.write('still.abc', JIG.slice(0, -1), '|');
    const [victim] = serving(editor);
    assert.ok(victim, 'the server of this editor runs');
    process.kill(Number(victim), 'SIGKILL');
    await editor.until('another server runs', () => serving(editor).some((pid) => pid !== victim));
    await editor.write('again.abc', JIG.slice(0, -1), '|');
  },

  async 'a server that keeps ending is started again ever later, and the reason is shown'(editor) {
    const broken = editor.path('broken');
    writeFileSync(broken, '#!/bin/sh\necho "cannot load model: its folder is empty" >&2\nexit 3\n');
    chmodSync(broken, 0o755);
    await editor.open('broken.abc', JIG);
    await editor.ready();
    editor.set({ 'ghostnote.path': broken });
    const waits = new Set();
    await editor.until('it was waited longer and longer', async () => {
      const said = /starting it again in (\d+) s: cannot load model: its folder is empty \(exit code 3\)/.exec(await editor.said());
      said && waits.add(Number(said[1]));
      return waits.has(8);
    });
    assert.deepEqual([...waits], [...waits].sort((one, other) => one - other));
    await editor.notification('cannot load model: its folder is empty').waitFor();
    await editor.picture('failed-server');
    editor.set({});
    await editor.ready();
  },

  async '.mxl opens as its text and is saved back as .mxl'(editor) {
    const { before, after } = hymn();
    const container = '<container><rootfiles><rootfile full-path="score.xml"/></rootfiles></container>';
    const archive = zipSync({ 'META-INF/container.xml': strToU8(container), 'score.xml': strToU8(before + after), 'cover.txt': strToU8('kept') });
    await editor.open('hymn.mxl', archive);
    await editor.page.locator('.tab.active[data-resource-name="hymn.mxl.musicxml"]').waitFor();
    await editor.page.locator('.view-line', { hasText: '</score-partwise>' }).first().waitFor();
    await editor.ready();
    await editor.press('Control+End');
    await editor.type('<!-- typed');
    const files = () => unzipSync(readFileSync(editor.path('hymn.mxl')));
    await editor.until('what was typed is in the archive', () => Buffer.from(files()['score.xml']).includes('<!-- typed'));
    assert.equal(Buffer.from(files()['cover.txt']).toString(), 'kept');
    execFileSync('python3', ['-m', 'zipfile', '-t', editor.path('hymn.mxl')]);
  },
};
