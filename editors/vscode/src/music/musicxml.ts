/**
 * What a preview must know of a MusicXML text: where each note is written, when it sounds, and the text made whole.
 *
 * A text that is being typed is not well-formed: elements left open are closed, a half-typed last note is left out, and
 * parts that end early get empty measures, without which the others would be drawn no farther. Repeats are not played out. Offsets are UTF-16 code units; onsets and durations are fractions of a whole note. Pure.
 *
 * Source: MusicXML 4.0, score-partwise.
 */

import render from 'dom-serializer';
import { Element, isTag, isText, type Document } from 'domhandler';
import { parseDocument } from 'htmlparser2';

import type { Sound } from './sounds';

export interface Note {
  /** Offsets of the element `note` in the text. */
  readonly start: number;
  readonly end: number;
  /** The number, from 0, of its measure. */
  readonly measure: number;
  /** The number, from 0, of its staff, counted over all parts. */
  readonly staff: number;
  /** From the start of its measure. */
  readonly onset: number;
  /** 0 for a grace note. */
  readonly duration: number;
  /** MIDI number of what is written; undefined for a rest. */
  readonly written: number | undefined;
  /** Semitones from what is written to what sounds. */
  readonly transposition: number;
  readonly isTiedToLast: boolean;
}

export interface Score {
  /** The text, made whole. */
  readonly xml: string;
  readonly notes: readonly Note[];
  readonly sounds: readonly Sound[];
}

interface Tempo {
  readonly measure: number;
  readonly onset: number;
  readonly quartersAMinute: number;
}

/** What lasts over the measures of a part. */
interface Part {
  readonly firstStaff: number;
  staves: number;
  divisions: number;
  transposition: number;
}

const STEPS: Readonly<Record<string, number>> = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };
const USUAL_TEMPO = 120;

/** Never fails: what is no MusicXML has no notes. */
export function readMusicXml(text: string): Score {
  const document = parseDocument(text, { xmlMode: true, withStartIndices: true, withEndIndices: true });
  dropHalfTyped(document, text);
  const notes: Note[] = [];
  const tempos: Tempo[] = [];
  const lengths: number[] = [];
  let firstStaff = 0;
  const score = children(document, 'score-partwise')[0];
  const parts = score === undefined ? [] : children(score, 'part');
  for (const element of parts) {
    const part: Part = { firstStaff, staves: 1, divisions: 1, transposition: 0 };
    children(element, 'measure').forEach((measure, number) => {
      const length = readMeasure(measure, number, part, notes, tempos);
      lengths[number] = Math.max(lengths[number] ?? 0, length);
    });
    firstStaff += part.staves;
  }
  parts.forEach((part) => pad(part, lengths.length));
  const xml = render(document, { xmlMode: true });
  return { xml, notes, sounds: soundsOf(notes, lengths, tempos) };
}

/** A note that lacks its end is still being typed. */
function dropHalfTyped(node: Document | Element, text: string): void {
  node.children = node.children.filter((child) => {
    const isOpen = isTag(child) && child.name === 'note' && !text.slice(child.startIndex ?? 0, (child.endIndex ?? 0) + 1).endsWith('</note>');
    if (isTag(child) && !isOpen) {
      dropHalfTyped(child, text);
    }
    return !isOpen;
  });
}

/** Make a part as long as the others. */
function pad(part: Element, measures: number): void {
  for (let count = children(part, 'measure').length; count < measures; count += 1) {
    part.children.push(new Element('measure', { number: String(count + 1) }, []));
  }
}

/** Gives the measure's length. */
function readMeasure(measure: Element, number: number, part: Part, notes: Note[], tempos: Tempo[]): number {
  let now = 0;
  let before = 0;
  let length = 0;
  for (const element of measure.children.filter(isTag)) {
    const duration = numberIn(element, 'duration', 0) / (4 * part.divisions);
    switch (element.name) {
      case 'attributes':
        readAttributes(element, part);
        break;
      case 'backup':
        now = Math.max(0, now - duration);
        break;
      case 'forward':
        now += duration;
        break;
      case 'sound':
      case 'direction':
        tempos.push(...temposIn(element).map((quartersAMinute) => ({ measure: number, onset: now, quartersAMinute })));
        break;
      case 'note': {
        const isChord = children(element, 'chord').length > 0;
        const onset = isChord ? before : now;
        notes.push(readNote(element, number, onset, duration, part));
        if (!isChord) {
          before = now;
          now += duration;
        }
        break;
      }
    }
    length = Math.max(length, now);
  }
  return length;
}

function readAttributes(attributes: Element, part: Part): void {
  part.divisions = numberIn(attributes, 'divisions', part.divisions) || 1;
  part.staves = Math.max(part.staves, numberIn(attributes, 'staves', 1));
  for (const transpose of children(attributes, 'transpose')) {
    part.transposition = numberIn(transpose, 'chromatic', 0) + 12 * numberIn(transpose, 'octave-change', 0);
  }
}

function readNote(element: Element, measure: number, onset: number, duration: number, part: Part): Note {
  const pitch = children(element, 'pitch')[0];
  return {
    start: element.startIndex ?? 0,
    end: (element.endIndex ?? 0) + 1,
    measure,
    staff: part.firstStaff + Math.max(1, numberIn(element, 'staff', 1)) - 1,
    onset,
    duration: children(element, 'grace').length > 0 ? 0 : duration,
    written: pitch && midi(textIn(pitch, 'step'), numberIn(pitch, 'alter', 0), numberIn(pitch, 'octave', 4)),
    transposition: part.transposition,
    isTiedToLast: children(element, 'tie').some(({ attribs }) => attribs.type === 'stop'),
  };
}

function midi(step: string, alter: number, octave: number): number | undefined {
  const semitone = STEPS[step];
  return semitone === undefined ? undefined : 12 * (octave + 1) + semitone + alter;
}

function soundsOf(notes: readonly Note[], lengths: readonly number[], tempos: readonly Tempo[]): Sound[] {
  const starts = lengths.reduce<number[]>((ends, length) => [...ends, ends[ends.length - 1] + length], [0]);
  const seconds = clock(tempos.map(({ measure, onset, quartersAMinute }) => ({ at: starts[measure] + onset, quartersAMinute })));
  const sounds: Sound[] = [];
  const last = new Map<string, number>();
  for (const { start, measure, staff, onset, duration, written, transposition, isTiedToLast } of notes) {
    if (written === undefined || duration === 0) {
      continue;
    }
    const key = `${staff} ${written}`;
    const from = seconds(starts[measure] + onset);
    const to = seconds(starts[measure] + onset + duration);
    const tied = isTiedToLast ? last.get(key) : undefined;
    if (tied !== undefined) {
      sounds[tied] = { ...sounds[tied], duration: to - sounds[tied].start };
      continue;
    }
    last.set(key, sounds.push({ pitch: written + transposition, start: from, duration: to - from, at: start }) - 1);
  }
  return sounds;
}

/** When a time in whole notes is, in seconds. */
function clock(tempos: { at: number; quartersAMinute: number }[]): (wholes: number) => number {
  const ordered = [...tempos].sort((one, other) => one.at - other.at);
  return (wholes) => {
    let [seconds, here, tempo] = [0, 0, USUAL_TEMPO];
    for (const { at, quartersAMinute } of ordered.filter((one) => one.at < wholes)) {
      seconds += ((at - here) * 240) / tempo;
      [here, tempo] = [at, quartersAMinute];
    }
    return seconds + ((wholes - here) * 240) / tempo;
  };
}

function temposIn(element: Element): number[] {
  const sounds = element.name === 'sound' ? [element] : children(element, 'sound');
  return sounds.map(({ attribs }) => Number(attribs.tempo)).filter((tempo) => tempo > 0);
}

function children(node: Document | Element, name: string): Element[] {
  return node.children.filter(isTag).filter((child) => child.name === name);
}

function textIn(node: Element, name: string): string {
  const text = children(node, name)[0]?.children[0];
  return text !== undefined && isText(text) ? text.data.trim() : '';
}

function numberIn(node: Element, name: string, otherwise: number): number {
  const value = Number(textIn(node, name) || NaN);
  return Number.isFinite(value) ? value : otherwise;
}
