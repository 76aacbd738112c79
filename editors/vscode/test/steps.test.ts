import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { isEnough, pieceCommand, type Portion } from '../src/music/steps';

const configuration = JSON.parse(
  readFileSync(new URL('../syntaxes/abc.language-configuration.json', import.meta.url), 'utf8'),
) as { wordPattern: string };

/** As the editor takes a word of ghost text: up to the end of a word that begins it, else up to the word, or past space. */
function nextPiece(text: string): string {
  const word = new RegExp(configuration.wordPattern).exec(text);
  const byWord = word === null ? text.length : word.index === 0 ? word[0].length : word.index;
  const space = /\s+/.exec(text);
  return text.slice(0, space === null ? byWord : Math.min(byWord, space.index + space[0].length));
}

function taken(portion: Portion, suggestion: string): string {
  let text = '';
  while (text.length < suggestion.length && !isEnough('abc', portion, text)) {
    text += nextPiece(suggestion.slice(text.length));
  }
  return text;
}

describe('accepting a part of a suggestion in ABC', () => {
  it.each<[Portion, string, string]>([
    ['note', 'cAA EAA |', 'c'],
    ['note', ' cAA EAA |', ' c'],
    ["note", "^f'3/2>g |", "^f'3/2>"],
    ['note', '[CEG]2 z2 |', '[CEG]2'],
    ['note', '"Am"A2 B2 |', '"Am"A2'],
    ['note', '!trill!A2 B2 |', '!trill!A2'],
    ['note', '(3ABc d2 |', '(3A'],
    ['note', '| c', '|'],
    ['note', '{b}A2 c', '{b}A2'],
    ['note', '"Am"{b}[Ace]2 d2', '"Am"{b}[Ace]2'],
    ['beat', 'cAA EAA |', 'cAA '],
    ['beat', ' cAA EAA |', ' cAA '],
    ['beat', 'G3 |', 'G3 '],
    ['beat', ' cA"G"c edc |', ' cA"G"c '],
    ['beat', 'edc|BGG', 'edc|'],
    ['beat', ' |', ' |'],
    ['measure', 'cAA EAA | cAc edc |', 'cAA EAA |'],
    ['measure', 'G2 :| B2', 'G2 :|'],
    ['measure', '"C|"c4 | d4', '"C|"c4 |'],
    ['measure', '[CEG]4 [DFA]4 |]', '[CEG]4 [DFA]4 |]'],
    ['measure', 'no barline at all', 'no barline at all'],
    ['measure', '|: A4 | B4|', '|: A4 |'],
    ['measure', ' |cAc edc:|BGG', ' |cAc edc:|'],
    ['measure', '"A|m"c3 d3|]', '"A|m"c3 d3|]'],
    ['measure', '|1 cAc|2 d3|', '|1 cAc|2'],
    ['measure', '[|{c}[CEG]4 | d4', '[|{c}[CEG]4 |'],
    ['phrase', 'A4 | B4 | c4 | d4 | e4 |', 'A4 | B4 | c4 | d4 |'],
    ['phrase', 'A4 | B4 :| c4 |', 'A4 | B4 :|'],
    ['phrase', 'A4 | B4 || c4 |', 'A4 | B4 ||'],
    ['phrase', 'a6|b6|c6|d6|e6|', 'a6|b6|c6|d6|'],
    ['phrase', 'a6|b6', 'a6|b6'],
    ['phrase', '| A4 | B4 | c4 | d4 | e4 |', '| A4 | B4 | c4 | d4 |'],
    ['phrase', '\n|: A4 | B4 | c4 | d4 | e4 |', '\n|: A4 | B4 | c4 | d4 |'],
    ['phrase', ':| A4 | B4 :| c4 |', ':| A4 | B4 :|'],
    ['phrase', '"A|B|C|D|"A4 | B4 |]', '"A|B|C|D|"A4 | B4 |]'],
  ])('a %s of %j is %j', (portion, suggestion, expected) => {
    expect(taken(portion, suggestion)).toBe(expected);
  });
});

describe('accepting a part of a suggestion in MusicXML', () => {
  it.each<[Portion, string, boolean]>([
    ['note', '<note>\n  <pitch>', false],
    ['note', '<note>\n</note>\n', true],
    ['measure', '<note>\n</note>\n', false],
    ['measure', '</note>\n</measure>', true],
    ['beat', '</measure>', true],
    ['phrase', '</measure>\n</measure>\n</measure>', false],
    ['phrase', '</measure>\n</measure>\n</measure>\n</measure>', true],
    ['phrase', '<barline><repeat direction="backward"/></barline>\n</measure>', true],
    ['phrase', '<barline><repeat direction="backward"/></barline>', false],
  ])('a %s in %j: %s', (portion, text, expected) => {
    expect(isEnough('musicxml', portion, text)).toBe(expected);
  });

  it('is taken by lines, ABC by words', () => {
    expect(pieceCommand('musicxml')).toContain('acceptNextLine');
    expect(pieceCommand('abc')).toContain('acceptNextWord');
  });
});
