// A machine without ghostnote, and at first without Python: needs the Python package index.
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { JIG } from './scores.mjs';

export const installing = {
  async 'without Python the reason is said; with it, a yes installs the packed server and ghost text appears'(editor) {
    await editor.open('first.abc', JIG.slice(0, -1));
    await editor.notification('Ghostnote needs its server').locator('.monaco-button', { hasText: 'Install' }).first().click();
    const failed = editor.notification('Ghostnote needs Python 3.11 or later, and found none');
    await failed.waitFor();
    await editor.picture('no-python');
    const python = execFileSync('python3', ['-c', 'import os, sys; print(os.path.realpath(sys.executable))']).toString().trim();
    symlinkSync(python, join(editor.programs, 'python3'));
    await failed.locator('.monaco-button', { hasText: 'Try Again' }).first().click();
    await editor.notification(/looking for Python|making an environment|installing the server/).waitFor();
    await editor.picture('installing');
    await editor.until('the server is installed', async () => /Ghostnote: (ready|the last)/.test(await editor.said()), 400000);
    await editor.write('second.abc', JIG.slice(0, -1), '|');
  },
};

/** A PATH with no program on it. */
export function emptyPath(folder) {
  mkdirSync(folder);
  return folder;
}
