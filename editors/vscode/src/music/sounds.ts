/**
 * The notes of a piece as they sound, and which of them to play.
 *
 * Times are seconds from the start of the piece at the tempo that is written. Pure.
 */

export interface Sound {
  /** MIDI number. */
  readonly pitch: number;
  readonly start: number;
  readonly duration: number;
  /** Where in the text the note is written. A repeated note sounds several times from one place. */
  readonly at: number;
}

/** From the first time that a note at or after an offset sounds, to the end; in order of time. */
export function soundsFrom(sounds: readonly Sound[], offset: number): Sound[] {
  const first = Math.min(...sounds.filter(({ at }) => at >= offset).map(({ start }) => start));
  return inOrder(sounds.filter(({ start }) => start >= first));
}

/** What is written from `start` up to `end`, each note once however often it is repeated; in order of time. */
export function soundsWithin(sounds: readonly Sound[], start: number, end: number): Sound[] {
  const heard = new Set<string>();
  return inOrder(sounds.filter(({ at }) => at >= start && at < end)).filter(({ at, pitch }) => {
    const isNew = !heard.has(`${at} ${pitch}`);
    heard.add(`${at} ${pitch}`);
    return isNew;
  });
}

function inOrder(sounds: Sound[]): Sound[] {
  return sounds.sort((one, other) => one.start - other.start);
}
