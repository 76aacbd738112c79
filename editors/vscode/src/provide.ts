/** Between the editor and the server: no question where suggestions are off, and note taken of each answer. */

import { CancellationError, workspace } from 'vscode';
import type { Middleware } from 'vscode-languageclient/node';

import type { Suggestions } from './suggestions';

type Provide = NonNullable<Middleware['provideInlineCompletionItems']>;

export function provide(suggestions: Suggestions): Provide {
  return async (document, position, context, token, next) => {
    if (!workspace.getConfiguration('ghostnote', document).get('enabled', true)) {
      return null;
    }
    const version = document.version;
    const began = performance.now();
    const answer = await next(document, position, context, token);
    if (token.isCancellationRequested) {
      throw new CancellationError();
    }
    const items = Array.isArray(answer) ? answer : (answer?.items ?? []);
    const candidates = items.map((item) => ({
      text: typeof item.insertText === 'string' ? item.insertText : item.insertText.value,
      start: document.offsetAt(item.range?.start ?? position),
      end: document.offsetAt(item.range?.end ?? position),
    }));
    if (context.selectedCompletionInfo === undefined) {
      suggestions.remember(document, version, candidates, performance.now() - began);
    }
    return answer;
  };
}
