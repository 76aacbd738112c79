/** Between the editor and the server: no question where suggestions are off, and note taken of each answer. */

import { CancellationError, workspace, type InlineCompletionItem, type InlineCompletionList } from 'vscode';
import type { ProvideInlineCompletionItemsSignature } from 'vscode-languageclient/node';

import type { Suggestions } from './suggestions';

type Middleware = (
  ...args: [...Parameters<ProvideInlineCompletionItemsSignature>, next: ProvideInlineCompletionItemsSignature]
) => Promise<InlineCompletionItem[] | InlineCompletionList | null | undefined>;

export function provide(suggestions: Suggestions): Middleware {
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
