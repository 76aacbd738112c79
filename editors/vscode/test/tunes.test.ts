import { describe, expect, it } from 'vitest';

import { tuneAt, tuneSpans, withGhost, withGhostAt } from '../src/music/tunes';

const TWO = '% a book\nX:1\nK:C\nCDE|\n\nX:2\nK:G\nGAB|\n';

describe('tunes of a file', () => {
  it.each([
    ['before the first', 0, 0],
    ['in the first', TWO.indexOf('CDE'), 0],
    ['at the start of the second', TWO.indexOf('X:2'), 1],
    ['at the end', TWO.length, 1],
  ])('%s', (_, offset, expected) => {
    expect(tuneAt(TWO, offset)).toBe(expected);
  });

  it('cover the text from the first X:', () => {
    expect(tuneSpans(TWO).map(({ start, end }) => TWO.slice(start, end)).join('')).toBe(TWO.slice(TWO.indexOf('X:1')));
  });

  it.each([['empty', ''], ['no X:', 'CDE|'], ['X: inside a line', 'K:C\n[X:1]']])('%s: one tune', (_, text) => {
    expect(tuneSpans(text)).toEqual([{ start: 0, end: text.length }]);
  });
});

describe('a suggestion in its place', () => {
  it('replaces what it stands for and says where it is', () => {
    const { text, start, end, shift } = withGhost('AB|xyz', 3, 4, 'cde|');
    expect(text).toBe('AB|cde|yz');
    expect(text.slice(start, end)).toBe('cde|');
    expect(text.indexOf('yz') - shift).toBe('AB|xyz'.indexOf('yz'));
  });

  it.each([
    ['before it', 'AB|xyz', 3, 3, 'cde|', 1, 1],
    ['at it', 'AB|xyz', 3, 3, 'cde|', 3, 3],
    ['behind it', 'AB|xyz', 3, 3, 'cde|', 5, 9],
    ['where what it replaces begins', 'AB|xyz', 3, 5, 'cde|', 3, 3],
    ['in what it replaces', 'AB|xyz', 3, 5, 'cde|', 4, 3],
    ['behind what it replaces', 'AB|xyz', 3, 5, 'cde|', 5, 7],
    ['without a suggestion', 'AB|xyz', 3, 3, '', 5, 5],
  ])('moves a cursor %s', (_, text, start, end, suggestion, offset, moved) => {
    expect(withGhostAt(withGhost(text, start, end, suggestion), offset)).toBe(moved);
  });
});
