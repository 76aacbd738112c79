// No telemetry: whom the pages and the programs behind them talk to while one works with all of it.
import assert from 'node:assert/strict';

import { serving } from './processes.mjs';
import { jig } from './previewing.mjs';

// The marketplace of code-server itself.
const GALLERY = 'https://open-vsx.org/vscode/gallery/';

export const silent = {
  async 'nothing goes to any other machine'(editor) {
    const frame = await jig(editor, 'silent.abc');
    await frame.locator('#play-suggestion').click();
    await editor.until('it ends by itself', () => frame.locator('#stop').isDisabled());
    await editor.command('Ghostnote: Say What Is Installed and What Is Wrong');
    await editor.page.locator('.view-line', { hasText: 'Extension in' }).first().waitFor();
    assert.ok(serving(editor).length > 0, 'the server was among those looked at');
    const asked = editor.requests.map((request) => request.url());
    assert.ok(asked.filter((url) => url.startsWith(editor.origin)).length > 20, 'the page was listened to');
    const answered = await Promise.all(editor.requests.map(async (request) => ({ url: request.url(), isHere: await isHere(editor, request) })));
    assert.deepEqual([...new Set(answered.filter((one) => !one.isHere).map(({ url }) => url))], []);
    assert.deepEqual([...editor.contacts], []);
  },
};

/** Whether the page holds it itself, has it from this editor's own server, or it is the editor that looks into its gallery. */
async function isHere(editor, request) {
  const url = request.url();
  if (/^(data|blob):/.test(url) || url.startsWith(`${editor.origin}/`)) {
    return true;
  }
  if (request.frame() === editor.page.mainFrame() && url.startsWith(GALLERY)) {
    return true;
  }
  // Files of an extension have such addresses in a webview; the editor's service worker answers them from its own server.
  const response = new URL(url).host.endsWith('.vscode-resource.vscode-cdn.net') ? await request.response() : null;
  return response !== null && response.fromServiceWorker();
}
