// Another extension that suggests text for the same files: both are offered, and neither is taken for the other.
import assert from 'node:assert/strict';

import { NEIGHBOUR } from './neighbour.mjs';
import { preview } from './previewing.mjs';
import { JIG } from './scores.mjs';

const shown = NEIGHBOUR.replace(/\s/g, '');
const added = (editor, name) => editor.text(name).slice(JIG.length);

/** Ask, and go through the candidates with a key until one is shown that is the neighbour's, or is not. */
function goTo(editor, key, isNeighbours) {
  return editor.until(`a suggestion ${isNeighbours ? 'of the neighbour' : 'of ours'} is shown by ${key}`, async () => {
    const ghost = await editor.ghostText();
    if (ghost !== '' && (ghost === shown) === isNeighbours) {
      return ghost;
    }
    await editor.press(ghost === '' ? 'Alt+\\' : key);
    await editor.page.waitForTimeout(700);
    return '';
  });
}

/** Open a file that ends where a measure is wanted, with ghost text of anyone's. */
async function ask(editor, name, settings) {
  editor.set(settings);
  await editor.open(name, JIG);
  await editor.ready();
  await goTo(editor, 'Alt+]', false);
}

export const neighbouring = {
  async 'beside another extension ours is offered and accepted, once'(editor) {
    await ask(editor, 'ours.abc', { 'neighbour.manner': 'plain' });
    await goTo(editor, 'Alt+]', true);
    await goTo(editor, 'Alt+[', false);
    await goTo(editor, 'Alt+[', true);
    const ghost = await goTo(editor, 'Alt+]', false);
    await editor.press('Tab');
    await editor.until('the file holds it', () => added(editor, 'ours.abc') !== '');
    await editor.page.waitForTimeout(1000);
    assert.equal(added(editor, 'ours.abc').replace(/\s/g, ''), ghost);
    editor.judge('ours.abc', JIG);
  },

  async 'what another extension suggests is accepted as it is, once'(editor) {
    await ask(editor, 'theirs.abc', { 'neighbour.manner': 'plain' });
    await goTo(editor, 'Alt+]', true);
    await editor.press('Tab');
    await editor.until('the file holds it', () => added(editor, 'theirs.abc') !== '');
    await editor.page.waitForTimeout(1000);
    assert.equal(added(editor, 'theirs.abc'), NEIGHBOUR);
  },

  async 'a part of what another extension suggests is not taken for ours'(editor) {
    await ask(editor, 'part.abc', { 'neighbour.manner': 'plain', 'ghostnote.trigger': 'manual' });
    await preview(editor);
    const frame = await editor.frameWith('svg .abcjs-note');
    await editor.until('ours is grey', () => frame.locator('.abcjs-note.ghost').count());
    await goTo(editor, 'Alt+]', true);
    await editor.press('Control+ArrowRight');
    await editor.until('a piece is in the file', () => added(editor, 'part.abc') !== '');
    assert.match(added(editor, 'part.abc'), /^z3? ?$/);
    await editor.until('ours is grey no longer', async () => (await frame.locator('.abcjs-note.ghost').count()) === 0);
    await editor.until('the rest is shown', async () => shown.endsWith((await editor.ghostText()) || '?'));
    await editor.press('Alt+ArrowRight');
    await editor.until('all of it is in the file', () => added(editor, 'part.abc').includes('|'));
    await editor.page.waitForTimeout(1000);
    assert.equal(added(editor, 'part.abc').trimEnd(), NEIGHBOUR);
  },

  async 'another extension that yields to ours suggests only where ours does not'(editor) {
    const manner = { 'neighbour.manner': 'yielding' };
    await ask(editor, 'yields.abc', manner);
    for (let count = 0; count < 6; count += 1) {
      assert.notEqual(await editor.ghostText(), shown);
      await editor.press('Alt+]');
      await editor.page.waitForTimeout(500);
    }
    editor.set({ ...manner, 'ghostnote.enabled': false });
    await editor.until('ours is off', async () => /off/.test((await editor.status.textContent()) ?? ''));
    await editor.press('Escape');
    await editor.ghost.waitFor({ state: 'hidden' });
    await goTo(editor, 'Alt+]', true);
  },
};
