import { expect, it, vi } from 'vitest';

import { toggle } from '../src/toggle';

interface Document { readonly languageId: string; readonly isServed: boolean }

const vscode = vi.hoisted((): { document: unknown; choices: string[] } => ({ document: undefined, choices: [] }));

vi.mock('vscode', () => ({
  ConfigurationTarget: {},
  languages: { match: (_: unknown, { isServed }: Document) => (isServed ? 10 : 0) },
  window: {
    get activeTextEditor() {
      return { document: vscode.document };
    },
    showQuickPick: async (choices: { label: string }[]) => void (vscode.choices = choices.map(({ label }) => label)),
  },
  workspace: { workspaceFolders: [], getConfiguration: () => ({ get: () => true }) },
}));

const EVERYWHERE = ['Turn off everywhere', 'Turn off in this workspace'];

it.each<[string, Document, string[]]>([
  ['ABC', { languageId: 'abc', isServed: true }, ['Turn off for ABC', ...EVERYWHERE]],
  ['MusicXML', { languageId: 'musicxml', isServed: true }, ['Turn off for MusicXML', ...EVERYWHERE]],
  ['MusicXML taken for XML', { languageId: 'xml', isServed: true }, ['Turn off for MusicXML', ...EVERYWHERE]],
  ['no music', { languageId: 'python', isServed: false }, EVERYWHERE],
])('in %s suggestions can be turned off for what it is', async (_, document, expected) => {
  vscode.document = document;
  await toggle();
  expect(vscode.choices).toEqual(expected);
});
