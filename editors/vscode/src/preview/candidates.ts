/** Several different suggestions at a place, asked of the server as the user's own request. */

import { InlineCompletionTriggerKind, type Position, type TextDocument } from 'vscode';
import { InlineCompletionRequest, type LanguageClient } from 'vscode-languageclient/node';

import { suggestionsIn, type Suggestion } from '../suggestions';

export interface Candidate extends Suggestion {
  /** The version of the document that it was made for. */
  readonly version: number;
}

export async function askCandidates(client: LanguageClient, document: TextDocument, position: Position): Promise<Candidate[]> {
  const { version } = document;
  const context = { triggerKind: InlineCompletionTriggerKind.Invoke, selectedCompletionInfo: undefined };
  const params = client.code2ProtocolConverter.asInlineCompletionParams(document, position, context);
  const answer = await client.sendRequest(InlineCompletionRequest.type, params);
  const items = await client.protocol2CodeConverter.asInlineCompletionResult(answer);
  return suggestionsIn(items, document, position).map((one) => ({ ...one, version }));
}
