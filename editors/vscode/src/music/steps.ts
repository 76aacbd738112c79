/**
 * How much of a suggestion is a note, a beat, a measure, a phrase: as a test of the text that was taken so far.
 *
 * The editor takes ghost text piece by piece (a word or a line); these say whether what it took is enough. In ABC a
 * beat is a beamed group: what stands between two spaces. A phrase is four measures, or less where a part of the piece ends.
 *
 * Source: ABC 2.1, sections 4.1 (pitch), 4.7 (beams), 4.8 (repeat and barlines).
 */

export const PORTIONS = ['note', 'beat', 'measure', 'phrase'] as const;
export type Portion = (typeof PORTIONS)[number];

const MEASURES_IN_PHRASE = 4;

/** Which command of the editor takes the next piece. */
export function pieceCommand(languageId: string): string {
  const piece = languageId === 'abc' ? 'acceptNextWord' : 'acceptNextLine';
  return `editor.action.inlineSuggest.${piece}`;
}

/** Whether `taken`, the text inserted so far, holds what was asked for. */
export function isEnough(languageId: string, portion: Portion, taken: string): boolean {
  return languageId === 'abc' ? isEnoughAbc(portion, taken) : isEnoughXml(portion, taken);
}

function isEnoughAbc(portion: Portion, taken: string): boolean {
  const music = withoutAsides(taken);
  const measures = withoutLeadingBarline(music);
  switch (portion) {
    case 'note':
      return /[A-Ga-gxzXZ|\]]/.test(music);
    case 'beat':
      return /[A-Ga-gxzXZ|\]][^\s]*\s/.test(music) || /[|\]]$/.test(music.trimEnd());
    case 'measure':
      return /\||:\]|::/.test(measures);
    case 'phrase':
      return /:\||::|\|[:\]|]/.test(measures) || (measures.match(/\|/g) ?? []).length >= MEASURES_IN_PHRASE;
  }
}

/** A barline that begins the text ends no measure of it. */
function withoutLeadingBarline(music: string): string {
  return music.replace(/^[\s:[|\]]+/, '');
}

/** ABC without what may hold letters or bars that are no music: chord symbols, decorations, grace notes, fields, comments. */
function withoutAsides(text: string): string {
  return text
    .replace(/"[^"]*"?/g, '')
    .replace(/![^!\s]*!?/g, '')
    .replace(/\{[^}\n]*\}?/g, '')
    .replace(/\[[A-Za-z]:[^\]]*\]?/g, '')
    .replace(/%.*/g, '');
}

function isEnoughXml(portion: Portion, taken: string): boolean {
  const measures = (taken.match(/<\/measure>/g) ?? []).length;
  switch (portion) {
    case 'note':
    case 'beat':
      return measures > 0 || /<\/note>/.test(taken);
    case 'measure':
      return measures > 0;
    case 'phrase':
      return measures >= MEASURES_IN_PHRASE || (measures > 0 && /<repeat\b|<bar-style>light-/.test(taken));
  }
}
