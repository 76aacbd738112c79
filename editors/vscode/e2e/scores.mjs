// The pieces in the making that the checks write.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { REPOSITORY } from './places.mjs';

/** A jig of two parts of which the second line is being written. */
export const JIG = `X:1
T:The Irish Washerwoman
R:jig
M:6/8
L:1/8
K:G
|: BGG DGG | BGB dcB | cAA EAA | cAc edc |
BGG DGG | BGB dcB |`;

const HYMN = readFileSync(join(REPOSITORY, 'examples', 'old-hundredth.musicxml'), 'utf8');

/** A hymn whose bass lacks its measures from the fourth on, in two halves: what is before the cursor, and behind. */
export function hymn() {
  let at = HYMN.lastIndexOf('<part ');
  for (let measure = 0; measure < 4; measure += 1) {
    at = HYMN.indexOf('</measure>', at) + '</measure>'.length;
  }
  return { before: HYMN.slice(0, at), after: `\n  ${HYMN.slice(HYMN.lastIndexOf('</part>'))}` };
}

/** The number of notes and rests that a MusicXML text has. */
export const notesIn = (text) => (text.match(/<note[\s>]/g) ?? []).length;
