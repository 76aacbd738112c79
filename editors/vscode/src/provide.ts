/** Between the editor and the server: no question where suggestions are off, and note taken of each answer. */

import { CancellationError } from 'vscode';
import type { Middleware } from 'vscode-languageclient/node';

import { isEnabled } from './languages';
import { suggestionsIn, type Suggestions } from './suggestions';

type Provide = NonNullable<Middleware['provideInlineCompletionItems']>;

export function provide(suggestions: Suggestions): Provide {
  return async (document, position, context, token, next) => {
    if (!isEnabled(document)) {
      return null;
    }
    const version = document.version;
    const began = performance.now();
    const answer = await next(document, position, context, token);
    if (token.isCancellationRequested) {
      throw new CancellationError();
    }
    if (context.selectedCompletionInfo === undefined) {
      suggestions.remember(document, version, suggestionsIn(answer, document, position), performance.now() - began);
    }
    return answer;
  };
}
