// A machine with ghostnote on it and nothing set: which one is started.
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { GHOSTNOTE } from './places.mjs';
import { JIG } from './scores.mjs';

export const finding = {
  async 'a server on the PATH is found'(editor) {
    await editor.write('path.abc', JIG.slice(0, -1), '|');
    await editor.until('the log says so', () => editor.log().includes(`server: ${join(editor.programs, 'ghostnote')} (path)`));
  },

  async 'one beside the chosen Python interpreter goes before that on the PATH'(editor) {
    await editor.open('interpreter.abc', JIG.slice(0, -1));
    await editor.ready();
    editor.set({ 'python.defaultInterpreterPath': join(dirname(GHOSTNOTE), 'python') });
    await editor.until('the log says so', async () => {
      await editor.command('Ghostnote: Restart the Server');
      await editor.page.waitForTimeout(2000);
      return editor.log().includes(`server: ${GHOSTNOTE} (interpreter)`);
    });
    await editor.write('again.abc', JIG.slice(0, -1), '|');
  },
};

/** A PATH with one program on it, the server. */
export function pathWithServer(folder) {
  mkdirSync(folder);
  symlinkSync(GHOSTNOTE, join(folder, 'ghostnote'));
  return folder;
}
