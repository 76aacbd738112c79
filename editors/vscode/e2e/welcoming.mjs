// The walkthrough that the marketplace's conventions ask for, in the editor: what its buttons do.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { EXTENSION } from './places.mjs';
import { JIG } from './scores.mjs';
import { loudness } from './sound.mjs';

const [{ title, steps }] = JSON.parse(readFileSync(join(EXTENSION, 'package.json'), 'utf8')).contributes.walkthroughs;
const buttonsOf = ({ description }) => [...description.matchAll(/\[([^[\]\n]+)\]\(command:/g)].map(([, words]) => words);

const openWalkthrough = (editor) => editor.choose('Welcome: Open Walkthrough', title);

/** Press a button of a step; a click on the tab alone would show the editor's own first page. */
async function pressButton(editor, words) {
  const step = steps.find((one) => buttonsOf(one).includes(words));
  await openWalkthrough(editor);
  const card = editor.page.locator('.getting-started-step', { hasText: step.title }).first();
  await editor.until(`the step ${step.title} is open`, async () => {
    if (!(await card.getAttribute('class'))?.includes('expanded')) {
      await card.click({ timeout: 5000 }).catch(() => undefined);
    }
    return card.locator('.monaco-button', { hasText: words }).first().isVisible();
  });
  await card.locator('.monaco-button', { hasText: words }).first().click();
}

export const welcoming = {
  async 'the walkthrough opens, and each of its buttons does what it says'(editor) {
    await editor.write('walk.abc', JIG.slice(0, -1), '|');
    await openWalkthrough(editor);
    const shown = editor.page.locator('.getting-started-step');
    await editor.until('its steps are there', async () => (await shown.count()) === steps.length);
    await editor.picture('walkthrough');
    await pressButton(editor, 'Draw the Candidates');
    const frame = await editor.frameWith('.candidate svg .abcjs-note.ghost');
    await pressButton(editor, 'Play the Tune');
    await editor.until('it is not silent', async () => (await loudness(frame)) > 0.01);
    await frame.locator('#stop').click();
    await pressButton(editor, 'Open the Preview');
    await editor.frameWith('svg .abcjs-note');
    await pressButton(editor, 'New ABC File');
    await editor.page.locator('.tab.active', { hasText: 'Untitled' }).waitFor();
    await editor.until('it is ABC', async () => /ABC/.test((await editor.page.locator('#status\\.editor\\.mode').textContent()) ?? ''));
    await pressButton(editor, 'Install the Server');
    await editor.notification(/looking for Python|making an environment|installing the server/).locator('.monaco-button', { hasText: 'Cancel' }).click();
    await editor.notification('Ghostnote could not be installed').waitFor();
    await editor.write('still.abc', JIG.slice(0, -1), '|');
    const pressed = ['Draw the Candidates', 'Play the Tune', 'Open the Preview', 'New ABC File', 'Install the Server'];
    assert.deepEqual(steps.flatMap(buttonsOf).sort(), pressed.sort(), 'no button is left out');
  },
};
