/** Turning suggestions on and off, for a language, a workspace or everywhere; and the menu of the status bar item. */

import { ConfigurationTarget, commands, window, workspace, type QuickPickItem, type TextDocument } from 'vscode';

import { isEnabled, isServed, notationOf } from './languages';

interface Choice extends QuickPickItem {
  readonly act: () => Thenable<unknown> | undefined;
}

/** Ask where to turn suggestions on or off, and do so. */
export async function toggle(): Promise<void> {
  const shown = window.activeTextEditor?.document;
  const document = isServed(shown) ? shown : undefined;
  const isOn = isEnabled(document);
  const word = isOn ? 'off' : 'on';
  const choices: Choice[] = [
    { label: `Turn ${word} everywhere`, act: () => turn(document, !isOn, ConfigurationTarget.Global, false) },
  ];
  if (workspace.workspaceFolders !== undefined) {
    choices.push({ label: `Turn ${word} in this workspace`, act: () => turn(document, !isOn, ConfigurationTarget.Workspace, false) });
  }
  if (document !== undefined) {
    choices.unshift({
      label: `Turn ${word} for ${notationOf(document) === 'abc' ? 'ABC' : 'MusicXML'}`,
      act: () => turn(document, !isOn, ConfigurationTarget.Global, true),
    });
  }
  const choice = await window.showQuickPick(choices, { title: 'Ghostnote' });
  await choice?.act();
}

/** Set it where the user said; what is set for its language alone counts more, so if it says otherwise it is set there too. */
async function turn(document: TextDocument | undefined, on: boolean, target: ConfigurationTarget, inLanguage: boolean): Promise<void> {
  const set = (value: boolean | undefined, language: boolean): Thenable<void> =>
    workspace.getConfiguration('ghostnote', document).update('enabled', value, target, language);
  await set(on ? undefined : on, inLanguage);
  for (const language of document === undefined ? [inLanguage] : [inLanguage, true]) {
    if (isEnabled(document) !== on) {
      await set(on, language);
    }
  }
}

/** The menu of the status bar item. */
export async function menu(): Promise<void> {
  const entry = (label: string, command: string, ...args: unknown[]): Choice => ({
    label,
    act: () => commands.executeCommand(command, ...args),
  });
  const choice = await window.showQuickPick(
    [
      entry('$(sparkle) Suggest now', 'ghostnote.suggest'),
      entry('$(circle-slash) Turn suggestions on or off…', 'ghostnote.toggle'),
      entry('$(open-preview) Open the score preview', 'ghostnote.showPreview'),
      entry('$(settings-gear) Settings', 'workbench.action.openSettings', '@ext:ghostnote.ghostnote'),
      entry('$(debug-restart) Restart the server', 'ghostnote.restart'),
      entry('$(pulse) What is installed and what is wrong', 'ghostnote.doctor'),
      entry('$(output) Show the log', 'ghostnote.showLog'),
    ],
    { title: 'Ghostnote' },
  );
  await choice?.act();
}
