/**
 * Where the tunes of an ABC file begin and end, so that a preview can draw the one at the cursor.
 *
 * Offsets are UTF-16 code units, as in VS Code and abcjs. Pure.
 *
 * Source: ABC 2.1, section 2.2 (an ABC file is tunes, separated by empty lines, each beginning with X:).
 */

export interface TuneSpan {
  readonly start: number;
  readonly end: number;
}

/** The tunes in order; a text without X: is one tune. */
export function tuneSpans(text: string): TuneSpan[] {
  const starts = [...text.matchAll(/^X:/gm)].map((found) => found.index);
  if (starts.length === 0) {
    return [{ start: 0, end: text.length }];
  }
  return starts.map((start, index) => ({ start, end: starts[index + 1] ?? text.length }));
}

/** The number, from 0, of the tune at an offset; what stands before the first tune belongs to it. */
export function tuneAt(text: string, offset: number): number {
  const last = tuneSpans(text).findLastIndex((tune) => tune.start <= offset);
  return Math.max(0, last);
}

/** A text with a suggestion in its place, and where the suggestion then stands. */
export interface Ghosted {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** How many characters farther back everything behind it stands now. */
  readonly shift: number;
}

/** Put a suggestion in, in place of the characters from `start` to `end`. */
export function withGhost(text: string, start: number, end: number, suggestion: string): Ghosted {
  const ghosted = text.slice(0, start) + suggestion + text.slice(end);
  return { text: ghosted, start, end: start + suggestion.length, shift: ghosted.length - text.length };
}

/** Where an offset of the text stands in it with the suggestion; what the suggestion replaces stands where that begins. */
export function withGhostAt({ start, end, shift }: Ghosted, offset: number): number {
  return offset >= end - shift && offset > start ? offset + shift : Math.min(offset, start);
}
