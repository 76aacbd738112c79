// A second extension, packed by the test itself: what else a user may have installed that suggests text.
import { writeFileSync } from 'node:fs';

import { strToU8, zipSync } from 'fflate';

/** What the neighbour suggests: valid music that no model would think of first. */
export const NEIGHBOUR = 'z3 z2 F, |';

const MANIFEST = {
  name: 'neighbour', publisher: 'ghostnote-test', version: '0.0.1', engines: { vscode: '^1.91.0' }, main: './main.js',
  activationEvents: ['onLanguage:abc'], enabledApiProposals: ['inlineCompletionsAdditions'],
};

// The setting neighbour.manner says which of its two providers suggests: "plain", or "yielding" where Ghostnote has nothing.
const MAIN = `
const { InlineCompletionItem, Range, languages, workspace } = require('vscode');
const languagesOfOurs = [{ language: 'abc' }, { language: 'musicxml' }];
const provider = (manner) => ({
  provideInlineCompletionItems: (document, position) =>
    workspace.getConfiguration('neighbour').get('manner') === manner
      ? [new InlineCompletionItem(${JSON.stringify(NEIGHBOUR)}, new Range(position, position))] : [],
});
exports.activate = ({ subscriptions }) => subscriptions.push(
  languages.registerInlineCompletionItemProvider(languagesOfOurs, provider('plain')),
  languages.registerInlineCompletionItemProvider(languagesOfOurs, provider('yielding'), { groupId: 'ghostnote-test.yielding', yieldTo: ['ghostnote.ghostnote'] }),
);
`;

/** Write the neighbour as a .vsix. */
export function packNeighbour(path) {
  const files = { 'extension/package.json': JSON.stringify(MANIFEST), 'extension/main.js': MAIN };
  writeFileSync(path, zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)]))));
  return path;
}
