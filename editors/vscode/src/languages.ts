/** The documents that Ghostnote serves: ABC and MusicXML, also MusicXML that the editor takes for plain XML. */

import { languages, workspace, type TextDocument } from 'vscode';

export const SELECTOR: { language: string; pattern?: string }[] = [
  { language: 'abc' },
  { language: 'musicxml' },
  { language: 'xml', pattern: '**/*.musicxml' },
];

/** Whether suggestions can be had for a document. */
export function isServed(document: TextDocument | undefined): document is TextDocument {
  return document !== undefined && languages.match(SELECTOR, document) > 0;
}

/** `abc` or `musicxml`, whatever the editor calls it. */
export function notationOf(document: TextDocument): 'abc' | 'musicxml' {
  return document.languageId === 'abc' ? 'abc' : 'musicxml';
}

/** Whether suggestions are turned on for a document, or where none is open. */
export function isEnabled(document: TextDocument | undefined): boolean {
  return workspace.getConfiguration('ghostnote', document).get('enabled', true);
}
