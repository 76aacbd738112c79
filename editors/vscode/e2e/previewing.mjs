// The preview, its sound and the candidates' panel.
import assert from 'node:assert/strict';

import { goTo, ghostInXml } from './writing.mjs';
import { hymn, JIG, notesIn } from './scores.mjs';
import { forget, loudness, starts } from './sound.mjs';

const written = JIG.split('K:G')[1].match(/[A-Ga-g]/g).length;

/** Open the preview with its key; the command palette would send the ghost text away. */
export async function preview(editor) {
  await editor.press('Control+k');
  await editor.press('v');
}

/** Where the cursor stands: the editor's status bar says so. */
async function line(editor) {
  return (await editor.page.locator('#status\\.editor\\.selection').textContent()) ?? '';
}

/** Open a jig and its preview, with a suggestion. */
export async function jig(editor, name) {
  await editor.write(name, JIG.slice(0, -1), '|');
  await preview(editor);
  const frame = await editor.frameWith('svg .abcjs-note');
  await editor.until('the suggestion is grey', () => frame.locator('.abcjs-note.ghost').count());
  return frame;
}

/** The same of a hymn. */
export async function hymnPreview(editor, name) {
  const { before, after } = hymn();
  await editor.open(name, before + after);
  await editor.ready();
  await goTo(editor, before);
  await editor.press('Enter');
  await ghostInXml(editor);
  await preview(editor);
  const frame = await editor.frameWith('svg .vf-stavenote');
  await editor.until('the suggestion is grey', () => frame.locator('.vf-stavenote.ghost').count());
  return { frame, before, after };
}

/** Play, hear it, change tempo and loop, and stop. `count` is how many notes one round has. */
async function hear(editor, frame, button, count) {
  await forget(frame);
  await frame.locator('#loop').uncheck();
  await frame.locator('#tempo').fill('200');
  await frame.locator(button).click();
  await editor.until('it is not silent', async () => (await loudness(frame)) > 0.01);
  await editor.until('a note that sounds is marked', () => frame.locator('.playing').count());
  await editor.until('it ends by itself', async () => frame.locator('#stop').isDisabled());
  const fast = await starts(frame);
  assert.equal(fast.length, count, 'each note sounds once');
  assert.equal(await frame.locator('.playing').count(), 0);
  return span(fast);
}

const span = (times) => Math.max(...times) - Math.min(...times);

export const previewing = {
  async 'the preview draws the score, the suggestion in grey'(editor) {
    const frame = await jig(editor, 'preview.abc');
    assert.equal(await frame.locator('.abcjs-note:not(.ghost)').count(), written, 'each written note is drawn, and is not grey');
    await editor.picture('preview');
    await editor.press('Tab');
    await editor.until('what was accepted is black', async () => (await frame.locator('.abcjs-note:not(.ghost)').count()) > written);
  },

  async 'a click on a note goes to its text, the note at the cursor is lit'(editor) {
    const frame = await jig(editor, 'click.abc');
    await frame.locator('.abcjs-note').first().click({ position: { x: 4, y: 4 }, force: true });
    await editor.until('the first note is selected', async () => /Ln 7, Col \d+ \(\d+ selected\)/.test(await line(editor)));
    await editor.until('it is lit', async () => (await frame.locator('.abcjs-note.lit').count()) === 1);
    await goTo(editor, JIG.slice(0, JIG.indexOf('dcB |')));
    await editor.until('another is lit', async () => (await frame.locator('.abcjs-note').nth(9).getAttribute('class'))?.includes('lit'));
  },

  async 'a preview goes on when its text is closed and opened again'(editor) {
    const frame = await jig(editor, 'again.abc');
    await editor.command('View: Revert and Close Editor');
    await editor.open('again.abc', JIG.slice(0, JIG.indexOf('dcB |')));
    const count = JIG.slice(0, JIG.indexOf('dcB |')).split('K:G')[1].match(/[A-Ga-g]/g).length;
    await editor.until('what is drawn is what was opened', async () => (await frame.locator('.abcjs-note:not(.ghost)').count()) === count);
    await editor.type('dcB');
    await editor.until('what is typed is drawn', async () => (await frame.locator('.abcjs-note:not(.ghost)').count()) === count + 3);
  },

  async 'a tune is played: whole, from the cursor, the suggestion; at any tempo, in a loop'(editor) {
    const frame = await jig(editor, 'play.abc');
    const suggested = await frame.locator('.abcjs-note.ghost').count();
    const alone = await hear(editor, frame, '#play-suggestion', suggested);
    await hear(editor, frame, '#play-cursor', suggested);
    await forget(frame);
    await frame.locator('#tempo').fill('100');
    await frame.locator('#play-suggestion').click();
    await editor.until('it ends by itself', async () => (await starts(frame)).length === suggested && frame.locator('#stop').isDisabled());
    const slow = span(await starts(frame));
    assert.ok(Math.abs(slow / alone - 2) < 0.2, `half the tempo takes twice the time: ${slow.toFixed(2)} s after ${alone.toFixed(2)} s`);
    await frame.locator('#tempo').fill('200');
    await frame.locator('#loop').check();
    await forget(frame);
    await frame.locator('#play-suggestion').click();
    await editor.until('it begins again', async () => (await starts(frame)).length > 2 * suggested);
    await frame.locator('#stop').click();
    await frame.locator('#loop').uncheck();
    await forget(frame);
    await editor.command('Ghostnote: Play the Tune');
    await editor.until('the whole tune is not silent', async () => (await loudness(frame)) > 0.01);
    await editor.command('Ghostnote: Stop Playing');
    await editor.until('it has stopped', () => frame.locator('#stop').isDisabled());
  },

  async 'MusicXML is drawn, the suggestion in grey; a click goes to the text'(editor) {
    const { frame, before, after } = await hymnPreview(editor, 'drawn.musicxml');
    assert.equal(await frame.locator('.vf-stavenote:not(.ghost)').count(), notesIn(before + after), 'each written note is drawn, and is not grey');
    await editor.picture('preview-musicxml');
    const note = frame.locator('.vf-stavenote .vf-notehead').first();
    await note.evaluate((element) => element.scrollIntoView({ block: 'center' }));
    await note.click({ force: true });
    const at = before.slice(0, before.indexOf('<note>')).split('\n').length;
    await editor.until('its text is selected', async () => (await line(editor)).includes('selected') && (await line(editor)).startsWith(`Ln ${at + before.slice(before.indexOf('<note>'), before.indexOf('</note>')).split('\n').length - 1},`));
    await editor.until('it is lit', async () => (await frame.locator('.vf-stavenote.lit').count()) === 1);
  },

  async 'MusicXML is played, also the suggestion alone'(editor) {
    const { frame } = await hymnPreview(editor, 'heard.musicxml');
    const suggested = await frame.locator('.vf-stavenote.ghost').count();
    await hear(editor, frame, '#play-suggestion', suggested);
    await frame.locator('#play').click();
    await editor.until('the whole score is not silent', async () => (await loudness(frame)) > 0.01);
    await frame.locator('#stop').click();
  },

  async 'MusicXML that is being typed is drawn as far as it goes'(editor) {
    const { before } = hymn();
    await editor.open('typed.musicxml', `${before}\n    <measure number="4">\n      <note><pitch><st`);
    await preview(editor);
    const frame = await editor.frameWith('svg .vf-stavenote');
    assert.equal(await frame.locator('.vf-stavenote:not(.ghost)').count(), notesIn(before));
  },

  async 'the candidates are drawn, can be played and inserted, with the keyboard alone'(editor) {
    await editor.write('panel.abc', JIG.slice(0, -1), '|');
    await editor.command('Ghostnote: Show the Candidates as Notation');
    const frame = await editor.frameWith('.candidate svg .abcjs-note.ghost');
    await editor.until('there are several', async () => (await frame.locator('.candidate').count()) >= 2);
    const focused = () => frame.evaluate(() => document.hasFocus() && document.activeElement?.textContent);
    await editor.until('the first has the keyboard', async () => (await focused()) === '▶ Candidate 1');
    await editor.picture('candidates');
    await editor.press('Enter');
    await editor.until('it is not silent', async () => (await loudness(frame)) > 0.01);
    await editor.press('Tab');
    assert.equal(await focused(), 'Insert candidate 1');
    await editor.press('Enter');
    await editor.until('it is in the file', () => editor.text('panel.abc').length > JIG.length + 3);
    editor.judge('panel.abc');
  },

  async 'the candidates of MusicXML are drawn and inserted'(editor) {
    const { frame, before, after } = await hymnPreview(editor, 'panel.musicxml');
    await editor.press('Escape');
    await editor.command('Ghostnote: Show the Candidates as Notation');
    await editor.until('each is drawn', () => frame.locator('.candidate svg .vf-stavenote.ghost').count());
    const bars = await frame.locator('.candidate').first().locator('svg .vf-measure').count();
    assert.equal(bars, 2 * 4, 'two measures of four parts, the suggested one and that before it');
    await editor.picture('candidates-musicxml');
    await frame.locator('.candidate button', { hasText: 'Insert' }).first().click();
    await editor.until('it is in the file', () => notesIn(editor.text('panel.musicxml')) > notesIn(before));
    editor.judge('panel.musicxml', before + after);
  },
};
