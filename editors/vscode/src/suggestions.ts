/**
 * What the server last suggested, where, and how long it took: for the status bar and the preview.
 *
 * The editor does not tell which candidate is shown; the first is taken to be.
 */

import { EventEmitter, type InlineCompletionItem, type InlineCompletionList, type Position, type TextDocument } from 'vscode';

export interface Suggestion {
  readonly text: string;
  /** Offsets in UTF-16 code units: what the suggestion replaces; empty for a plain insertion. */
  readonly start: number;
  readonly end: number;
}

export interface Suggested {
  readonly uri: string;
  readonly version: number;
  readonly candidates: readonly Suggestion[];
  /** Milliseconds from the request to its answer. */
  readonly latency: number;
}

/** What an answer suggests, asked for at `position`. */
export function suggestionsIn(
  answer: InlineCompletionItem[] | InlineCompletionList | null | undefined,
  document: TextDocument,
  position: Position,
): Suggestion[] {
  const items = Array.isArray(answer) ? answer : (answer?.items ?? []);
  return items.map((item) => ({
    text: typeof item.insertText === 'string' ? item.insertText : item.insertText.value,
    start: document.offsetAt(item.range?.start ?? position),
    end: document.offsetAt(item.range?.end ?? position),
  }));
}

export class Suggestions {
  private readonly changed = new EventEmitter<Suggested>();
  readonly onDidChange = this.changed.event;
  private last: Suggested | undefined;

  /** Take note of an answer. */
  remember(document: TextDocument, version: number, candidates: readonly Suggestion[], latency: number): void {
    this.last = { uri: document.uri.toString(), version, candidates, latency };
    this.changed.fire(this.last);
  }

  /**
   * The suggestion that still stands in a document: it holds for the state it was made for, and on from there as long
   * as the user types what it says.
   */
  standing(document: TextDocument, cursor: Position): Suggestion | undefined {
    const last = this.last;
    if (last === undefined || last.uri !== document.uri.toString()) {
      return undefined;
    }
    const offset = document.offsetAt(cursor);
    if (last.version === document.version) {
      return last.candidates.find(({ start, end }) => start <= offset && offset <= end);
    }
    for (const { text, start } of last.candidates) {
      const typed = document.getText().slice(start, offset);
      if (start <= offset && typed.length < text.length && text.startsWith(typed)) {
        return { text: text.slice(typed.length), start: offset, end: offset };
      }
    }
    return undefined;
  }

  /** Whether the next answer for a document, within some milliseconds, has a suggestion. */
  next(document: TextDocument, patience: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (isThere: boolean): void => {
        clearTimeout(timer);
        listener.dispose();
        resolve(isThere);
      };
      const timer = setTimeout(() => done(false), patience);
      const listener = this.onDidChange(({ uri, candidates }) => uri === document.uri.toString() && done(candidates.length > 0));
    });
  }

  /** Milliseconds that the last answer took. */
  get latency(): number | undefined {
    return this.last?.latency;
  }

  dispose(): void {
    this.changed.dispose();
  }
}
