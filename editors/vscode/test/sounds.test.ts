import { describe, expect, it } from 'vitest';

import { soundsFrom, soundsWithin, type Sound } from '../src/music/sounds';

/** |: A B :| C, as it sounds. */
const REPEATED: Sound[] = [
  { pitch: 69, start: 0, duration: 1, at: 3 },
  { pitch: 71, start: 1, duration: 1, at: 5 },
  { pitch: 69, start: 2, duration: 1, at: 3 },
  { pitch: 71, start: 3, duration: 1, at: 5 },
  { pitch: 60, start: 4, duration: 1, at: 10 },
];

describe('what is played', () => {
  it.each([
    ['all', 0, [0, 1, 2, 3, 4]],
    ['from a note, its repeat included', 4, [1, 2, 3, 4]],
    ['from the last note', 6, [4]],
    ['nothing behind the end', 11, []],
  ])('%s', (_, offset, starts) => {
    expect(soundsFrom(REPEATED, offset).map(({ start }) => start)).toEqual(starts);
  });

  it('of a suggestion: each note once, in order of time', () => {
    expect(soundsWithin([...REPEATED].reverse(), 3, 10).map(({ start }) => start)).not.toContain(4);
    expect(soundsWithin(REPEATED, 3, 10).map(({ start }) => start)).toEqual([0, 1]);
  });
});
