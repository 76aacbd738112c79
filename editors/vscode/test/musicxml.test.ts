import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { readMusicXml } from '../src/music/musicxml';

const note = (step: string, duration: number, more = ''): string =>
  `<note>${more}<pitch><step>${step}</step><octave>4</octave></pitch><duration>${duration}</duration></note>`;
const score = (...measures: string[]): string =>
  `<?xml version="1.0"?>\n<score-partwise><part id="P1">${measures.map((one) => `<measure>${one}</measure>`).join('')}</part></score-partwise>`;
const HEAD = '<attributes><divisions>2</divisions></attributes>';

describe('the notes of a MusicXML text', () => {
  it('say where they are written', () => {
    const text = score(HEAD + note('C', 2) + note('D', 2));
    expect(readMusicXml(text).notes.map(({ start, end }) => text.slice(start, end))).toEqual([note('C', 2), note('D', 2)]);
  });

  it('sound one after the other, chords together, tied notes as one', () => {
    const tie = (type: string): string => note('C', 2).replace('</duration>', `</duration><tie type="${type}"/>`);
    const text = score(HEAD + note('E', 2) + note('G', 2, '<chord/>') + tie('start'), tie('stop') + note('D', 2));
    expect(readMusicXml(text).sounds.map(({ pitch, start, duration }) => [pitch, start, duration])).toEqual([
      [64, 0, 0.5], [67, 0, 0.5], [60, 0.5, 1], [62, 1.5, 0.5],
    ]);
  });

  it('of a second voice and a second staff begin where the measure is gone back to', () => {
    const text = score(`${HEAD}<attributes><staves>2</staves></attributes>${note('C', 4)}<backup><duration>4</duration></backup>${note('E', 2).replace('</note>', '<staff>2</staff></note>')}`);
    expect(readMusicXml(text).notes.map(({ staff, onset }) => [staff, onset])).toEqual([[0, 0], [1, 0]]);
  });

  it('follow the tempo and the transposition', () => {
    const text = score(`${HEAD}<attributes><transpose><chromatic>-2</chromatic></transpose></attributes><sound tempo="60"/>${note('C', 2)}<direction><sound tempo="240"/></direction>${note('C', 2)}`);
    expect(readMusicXml(text).sounds.map(({ pitch, start, duration }) => [pitch, start, duration])).toEqual([[58, 0, 1], [58, 1, 0.25]]);
  });

  it.each([
    ['a note', `${score(HEAD + note('C', 2)).replace(/<\/measure>.*/, '')}<note><pitch><step>D`, 1],
    ['a tag', `${score(HEAD + note('C', 2)).replace(/<\/measure>.*/, '')}<no`, 1],
    ['nothing', '', 0],
    ['no XML', '< & <<>', 0],
    ['a comment', score(`${HEAD}<!-- ${note('C', 2)} -->`), 0],
  ])('are those that are whole: %s is being typed', (_, text, count) => {
    expect(readMusicXml(text).notes).toHaveLength(count);
  });

  it('that are being typed are made whole', () => {
    const { xml } = readMusicXml(`<?xml version="1.0"?>\n<!DOCTYPE a>\n<score-partwise><part id="P1"><measure number="1">${note('C', 2)}<note><ty`);
    expect(xml).toBe(`<?xml version="1.0"?>\n<!DOCTYPE a>\n<score-partwise><part id="P1"><measure number="1">${note('C', 2)}</measure></part></score-partwise>`);
  });

  it('are drawn to the end where a part ends early', () => {
    const [one, two] = [`<measure>${note('C', 4)}</measure>`, '<measure number="2"/>'];
    const { xml } = readMusicXml(`<score-partwise><part id="P1">${one}${one}</part><part id="P2">${one}</part></score-partwise>`);
    expect(xml).toBe(`<score-partwise><part id="P1">${one}${one}</part><part id="P2">${one}${two}</part></score-partwise>`);
  });

  it('of a real hymn fill its measures in four parts', () => {
    const text = readFileSync(new URL('../../../examples/old-hundredth.musicxml', import.meta.url), 'utf8');
    const { notes, xml } = readMusicXml(text);
    expect(notes.length).toBe(text.match(/<note[\s>]/g)?.length);
    expect(xml.match(/<[^>]*>/g)?.length).toBe(text.match(/<[^>]*>/g)?.length);
  });
});
