/** Taking a part of the ghost text that is shown: a note, a beat, everything up to the next barline. */

import { commands, window, workspace, type TextEditor } from 'vscode';

import { isEnough, pieceCommand, type Portion } from './music/steps';
import { notationOf } from './languages';

/** More pieces than the largest measure has; a stop in case the editor's idea of a piece changes. */
const MOST_PIECES = 400;
/** How long the editor may take to insert a piece, in milliseconds. */
const PATIENCE = 400;

/** Take pieces of whatever ghost text is shown until they make up the portion. */
export async function accept(portion: Portion): Promise<void> {
  const editor = window.activeTextEditor;
  if (editor === undefined) {
    return;
  }
  const language = notationOf(editor.document);
  let taken = '';
  for (let count = 0; count < MOST_PIECES && !isEnough(language, portion, taken); count += 1) {
    const piece = await takePiece(editor, pieceCommand(language));
    if (piece === '') {
      return;
    }
    taken += piece;
  }
}

/** The text that the editor inserted; empty if it had nothing to insert. */
async function takePiece(editor: TextEditor, command: string): Promise<string> {
  const before = editor.document.version;
  const start = editor.document.offsetAt(editor.selection.active);
  const changed = new Promise<void>((resolve) => {
    const done = (): void => {
      listener.dispose();
      clearTimeout(timer);
      resolve();
    };
    const listener = workspace.onDidChangeTextDocument((event) => event.document === editor.document && done());
    const timer = setTimeout(done, PATIENCE);
  });
  await commands.executeCommand(command);
  if (editor.document.version === before) {
    await changed;
  }
  const end = editor.document.offsetAt(editor.selection.active);
  return editor.document.getText().slice(start, end);
}
