/** Taking a part of the ghost text that is shown: a note, a beat, everything up to the next barline, a phrase. */

import { commands, window, workspace, type TextEditor } from 'vscode';

import { isEnough, pieceCommand, type Portion } from './music/steps';
import { notationOf } from './languages';
import type { Suggestions } from './suggestions';

/** More pieces than the largest phrase has; a stop in case the editor's idea of a piece changes. */
const MOST_PIECES = 1600;
/** How long the editor may take to insert a piece, in milliseconds. */
const PATIENCE = 400;
/** How long the next suggestion may take, in milliseconds. */
const ANSWER = 8000;
/** How often it is looked whether a suggestion that came is shown. */
const LOOKS = 5;

/** Take pieces of whatever ghost text is shown until they make up the portion; a phrase goes on into the next suggestion. */
export async function accept(portion: Portion, suggestions: Suggestions): Promise<void> {
  const editor = window.activeTextEditor;
  if (editor === undefined) {
    return;
  }
  const language = notationOf(editor.document);
  const command = pieceCommand(language);
  let taken = '';
  for (let count = 0; count < MOST_PIECES && !isEnough(language, portion, taken); count += 1) {
    let piece = await takePiece(editor, command);
    if (piece === '' && portion === 'phrase' && taken !== '') {
      piece = await takeFromNext(editor, command, suggestions);
    }
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

/** Ask for the next suggestion, and take its first piece. */
async function takeFromNext(editor: TextEditor, command: string, suggestions: Suggestions): Promise<string> {
  const { version } = editor.document;
  const answered = suggestions.next(editor.document, ANSWER);
  await commands.executeCommand('editor.action.inlineSuggest.trigger');
  if (!(await answered)) {
    return '';
  }
  for (let look = 0; look < LOOKS && editor.document.version === version; look += 1) {
    const piece = await takePiece(editor, command);
    if (piece !== '') {
      return piece;
    }
  }
  return '';
}
