/** Several different suggestions at a place, asked of the server as the user's own request. */

import { InlineCompletionTriggerKind, type Position, type TextDocument } from 'vscode';
import { InlineCompletionRequest, type LanguageClient } from 'vscode-languageclient/node';

export interface Candidate {
  readonly text: string;
  /** Offsets of what it replaces, in the document's `version`. */
  readonly start: number;
  readonly end: number;
  readonly version: number;
}

export async function askCandidates(client: LanguageClient, document: TextDocument, position: Position): Promise<Candidate[]> {
  const { version } = document;
  const context = { triggerKind: InlineCompletionTriggerKind.Invoke, selectedCompletionInfo: undefined };
  const params = client.code2ProtocolConverter.asInlineCompletionParams(document, position, context);
  const answer = await client.sendRequest(InlineCompletionRequest.type, params);
  const items = await client.protocol2CodeConverter.asInlineCompletionResult(answer);
  const list = Array.isArray(items) ? items : (items?.items ?? []);
  return list.map((item) => ({
    text: typeof item.insertText === 'string' ? item.insertText : item.insertText.value,
    start: document.offsetAt(item.range?.start ?? position),
    end: document.offsetAt(item.range?.end ?? position),
    version,
  }));
}
