// Ghost text, the popup and diagnostics: what a composer meets while typing.
import assert from 'node:assert/strict';

import { hymn, JIG, notesIn } from './scores.mjs';

const added = (editor, name) => editor.text(name).slice(JIG.length);
const barlines = (text) => (text.match(/\|/g) ?? []).length;

export const writing = {
  async 'ghost text appears while typing, Tab writes it to the file'(editor) {
    await editor.write('warm.abc', 'X:1\nT:Warming up\nM:4/4\nK:D\n', 'DEFG ');
    await editor.tidy();
    const before = JIG.slice(0, -3);
    await editor.write('tab.abc', before, 'B |');
    const ghost = await editor.ghostText();
    assert.ok(ghost.length > 3, `a measure is shown: '${ghost}'`);
    await editor.picture('ghost-text');
    await editor.press('Tab');
    await editor.until('the file holds the suggestion', () => added(editor, 'tab.abc').length > 3);
    assert.ok(editor.text('tab.abc').startsWith(JIG), 'what was typed must stay as it is');
    const accepted = added(editor, 'tab.abc');
    assert.match(accepted, /\|/, `a measure ends with a barline: '${accepted}'`);
    assert.ok(accepted.replace(/\s/g, '').startsWith(ghost), `'${ghost}' was shown, '${accepted}' written`);
    editor.judge('tab.abc', JIG);
  },

  async 'a note, a beat, then everything up to the barline can be accepted'(editor) {
    await editor.write('part.abc', JIG.slice(0, -1), '|');
    await editor.press('Control+ArrowRight');
    await editor.until('a note is in the file', () => added(editor, 'part.abc').trim() !== '');
    const note = added(editor, 'part.abc');
    assert.match(note, /^\s*("[^"]*")?(\^|_|=)*[A-Ga-gz][,']*[\d/]*\s*$/, `one note only: '${note}'`);
    await editor.ghost.waitFor();
    await editor.press('Control+Shift+ArrowRight');
    await editor.until('a beat is in the file', () => /\S\s+$|\|$/.test(added(editor, 'part.abc')));
    const beat = added(editor, 'part.abc');
    assert.equal(barlines(beat.trimEnd().slice(0, -1)), 0, `a beat has no barline inside: '${beat}'`);
    await editor.ghost.waitFor();
    await editor.press('Alt+ArrowRight');
    await editor.until('the barline is in the file', () => barlines(added(editor, 'part.abc')) === 1);
    await editor.page.waitForTimeout(700);
    assert.equal(barlines(added(editor, 'part.abc')), 1, `one barline: '${added(editor, 'part.abc')}'`);
    editor.judge('part.abc');
  },

  async 'a phrase can be accepted, over several suggestions'(editor) {
    await editor.write('phrase.abc', JIG.slice(0, JIG.indexOf('\nBGG')), '\n');
    const before = editor.written.get('phrase.abc').length;
    await editor.press('Alt+Shift+ArrowRight');
    const phrase = () => editor.text('phrase.abc').slice(before);
    await editor.until('a phrase is in the file', () => barlines(phrase()) >= 4 || /:\||\|\]|\|\|/.test(phrase()));
    await editor.page.waitForTimeout(1500);
    assert.ok(barlines(phrase()) <= 5, `four measures, or fewer to a double bar: '${phrase()}'`);
    editor.judge('phrase.abc');
  },

  async 'asked for, there are several candidates'(editor) {
    await editor.write('candidates.abc', JIG.slice(0, -1), '|');
    const first = await editor.ghostText();
    await editor.press('Alt+\\');
    let second = '';
    await editor.until('another candidate is shown', async () => {
      await editor.press('Alt+]');
      await editor.page.waitForTimeout(700);
      second = await editor.ghostText();
      return second !== '' && second !== first;
    });
    await editor.until('the one before comes back', async () => {
      await editor.press('Alt+[');
      await editor.page.waitForTimeout(700);
      return ![second, ''].includes(await editor.ghostText());
    });
  },

  async 'the popup has the next measures'(editor) {
    await editor.open('popup.abc', JIG);
    await editor.ready();
    const rows = editor.page.locator('.suggest-widget.visible .monaco-list-row');
    await editor.until('the popup lists measures', async () => {
      await editor.press('Control+Space');
      return rows.filter({ hasText: '|' }).first().waitFor({ timeout: 8000 }).then(() => true, () => false);
    });
    await editor.picture('popup');
    await rows.filter({ hasText: '|' }).first().click();
    await editor.until('a measure is in the file', () => barlines(added(editor, 'popup.abc')) > 0);
    editor.judge('popup.abc', JIG);
  },

  async 'what is wrong is underlined, and no longer if diagnostics are turned off'(editor) {
    await editor.open('wrong.abc', JIG.replace('BGB dcB', 'BGB dcBBB'));
    const wave = editor.page.locator('.squiggly-error, .squiggly-warning').first();
    await wave.waitFor();
    await editor.command('View: Focus Problems');
    await editor.page.locator('.markers-panel .monaco-list-row', { hasText: /measure|bar/i }).first().waitFor();
    await editor.picture('diagnostics');
    await editor.command('View: Toggle Panel Visibility');
    editor.set({ 'ghostnote.diagnostics': false });
    await wave.waitFor({ state: 'hidden' });
  },

  async 'MusicXML gets ghost text, Tab writes valid MusicXML'(editor) {
    const { before, after } = hymn();
    await editor.open('hymn.musicxml', before + after);
    await editor.ready();
    await goTo(editor, before);
    await editor.press('Enter');
    await ghostInXml(editor);
    await editor.picture('musicxml');
    await editor.press('Tab');
    await editor.until('a measure is in the file', () => notesIn(editor.text('hymn.musicxml')) > notesIn(before));
    editor.judge('hymn.musicxml', before + after);
  },

  async 'a note of MusicXML can be accepted'(editor) {
    const { before, after } = hymn();
    await editor.open('note.musicxml', before + after);
    await editor.ready();
    await goTo(editor, before);
    await editor.press('Enter');
    await ghostInXml(editor);
    await editor.press('Control+ArrowRight');
    const ends = () => (editor.text('note.musicxml').match(/<\/note>/g) ?? []).length;
    await editor.until('a whole note is in the file', () => ends() > notesIn(before));
    await editor.page.waitForTimeout(1500);
    assert.deepEqual([notesIn(editor.text('note.musicxml')), ends()], [notesIn(before) + 1, notesIn(before) + 1]);
  },
};

/** Put the cursor at the end of a text that a file begins with. */
export async function goTo(editor, before) {
  const lines = before.split('\n');
  await editor.press('Control+g');
  const input = editor.page.locator('.quick-input-widget:visible input').first();
  await input.waitFor();
  await input.fill(`:${lines.length}:${lines.at(-1).length + 1}`);
  await editor.press('Enter');
  await input.waitFor({ state: 'hidden' });
}

/** Ask until there is ghost text: a hymn in four parts takes a slow machine a while. */
export function ghostInXml(editor) {
  return editor.until('ghost text appears', async () => {
    if (await editor.ghost.waitFor({ timeout: 6000 }).then(() => true, () => false)) {
      return true;
    }
    await editor.press('Alt+\\');
    return false;
  });
}
