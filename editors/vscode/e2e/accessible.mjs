// For those who hear, or need strong contrasts, or have no mouse: the webviews by axe-core, the themes, the status bar.
import assert from 'node:assert/strict';

import axe from 'axe-core';

import { hymnPreview, jig } from './previewing.mjs';
import { JIG } from './scores.mjs';

/** What axe-core finds in a frame that is serious or critical, with the elements. */
async function violations(frame) {
  await frame.evaluate(axe.source);
  const found = await frame.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  assert.ok(found.passes.length > 5, 'axe-core has looked at something');
  return found.violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join('; ')}`);
}

/** The controls that a screen reader has no name for. */
function nameless(frame) {
  return frame.evaluate(() => {
    const controls = [...document.querySelectorAll('button, input, select, [role="toolbar"], [role="group"], [role="img"], section')];
    const nameOf = (one) => one.getAttribute('aria-label') ?? (one.textContent || one.closest('label')?.textContent || '');
    return controls.filter((one) => nameOf(one).trim() === '').map((one) => one.outerHTML.slice(0, 120));
  });
}

/** The contrast of two colours as CSS computes them, from 1 to 21. Source: WCAG 2.2, contrast ratio. */
function contrast(one, other) {
  const luminance = (colour) => {
    const [red, green, blue] = colour.match(/[\d.]+/g).map((part) => Number(part) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** The colours of a drawn measure, and of the ring around the button that has the keyboard. */
async function colours(editor, frame) {
  await frame.locator('#play').focus();
  await editor.press('Tab');
  return frame.evaluate(() => {
    const style = (one) => window.getComputedStyle(one);
    const ring = style(document.activeElement);
    return {
      ghost: style(document.querySelector('.abcjs-note.ghost path')).fill,
      written: style(document.querySelector('.abcjs-note:not(.ghost, .lit) path')).fill,
      paper: style(document.querySelector('.paper')).backgroundColor,
      page: style(document.body).backgroundColor,
      text: style(document.body).color,
      ring: ring.outlineStyle === 'none' ? undefined : { colour: ring.outlineColor, width: parseFloat(ring.outlineWidth) },
      focused: document.activeElement.id,
    };
  });
}

const THEMES = [
  ['Default High Contrast', 'high-contrast'],
  ['Default High Contrast Light', 'high-contrast-light'],
  ['Default Light Modern', 'light'],
];

const themed = Object.fromEntries(THEMES.map(([theme, picture]) => [
  `in the theme ${theme} the preview and the candidates can be told apart and pass axe-core`,
  async (editor) => {
    editor.set({ 'workbench.colorTheme': theme });
    await editor.until('the theme is there', () => editor.page.locator(picture === 'light' ? '.monaco-workbench.vs' : picture === 'high-contrast' ? '.monaco-workbench.hc-black' : '.monaco-workbench.hc-light').count());
    const frame = await jig(editor, `${picture}.abc`);
    await editor.picture(`${picture}-preview`);
    assert.deepEqual(await violations(frame), []);
    const seen = await colours(editor, frame);
    await editor.picture(`${picture}-focus`);
    const enough = picture === 'light' ? 3 : 4.5;
    assert.ok(contrast(seen.ghost, seen.paper) >= enough, `the suggestion on its paper: ${JSON.stringify(seen)}`);
    assert.ok(contrast(seen.ghost, seen.written) >= 3, `the suggestion beside what is written: ${JSON.stringify(seen)}`);
    assert.ok(contrast(seen.text, seen.page) >= 7, `the words: ${JSON.stringify(seen)}`);
    assert.equal(seen.focused, 'play-cursor');
    assert.ok(seen.ring?.width >= 2 && contrast(seen.ring.colour, seen.page) >= 3, `the ring of the keyboard: ${JSON.stringify(seen)}`);
    await editor.command('Ghostnote: Show the Candidates as Notation');
    await editor.until('there are candidates', async () => (await frame.locator('.candidate').count()) >= 2);
    await editor.picture(`${picture}-candidates`);
    assert.deepEqual(await violations(frame), []);
  },
]));

export const accessible = {
  async 'the preview has names for all its controls, and tells of a suggestion, to those who hear it'(editor) {
    const frame = await jig(editor, 'heard.abc');
    assert.deepEqual(await nameless(frame), []);
    const notes = await frame.locator('.abcjs-note.ghost').count();
    const news = frame.locator('[aria-live="polite"]#news');
    await editor.until('the suggestion is announced', async () => (await news.textContent()) === `Suggested: ${notes} notes and rests`);
    assert.match(await frame.locator('#score').getAttribute('aria-label'), new RegExp(`\\d+ notes and rests and ${notes} suggested`));
    await editor.command('Ghostnote: Show the Candidates as Notation');
    await editor.until('there are candidates', async () => (await frame.locator('.candidate').count()) >= 2);
    assert.deepEqual(await nameless(frame), []);
  },

  async 'the preview of MusicXML passes axe-core'(editor) {
    const { frame } = await hymnPreview(editor, 'axe.musicxml');
    assert.deepEqual(await violations(frame), []);
    assert.deepEqual(await nameless(frame), []);
  },

  ...themed,

  async 'the status bar item is a button with words'(editor) {
    await editor.open('words.abc', JIG);
    await editor.ready();
    const item = editor.status.locator('[role="button"][aria-label^="Ghostnote: "]');
    assert.equal(await item.count(), 1);
    assert.match(await editor.said(), /^Ghostnote: (ready|the last suggestion took \d+ milliseconds)/);
  },
};
