/** The preview of ABC: drawn by abcjs, the suggestion in grey, the note at the cursor lit. */

import { renderAbc, type TuneObject } from 'abcjs';

import { element, listen, tell } from './host';
import { controls, play, stop, type Sound } from './player';

/** What abcjs keeps of a drawn element; offsets are in the text that was drawn. */
interface Drawn {
  readonly el_type?: string;
  readonly startChar?: number;
  readonly endChar?: number;
  readonly abselem?: { readonly elemset?: readonly (SVGElement | undefined)[] };
}

interface Located extends Sound {
  readonly startChar: number;
}

let tune: TuneObject | undefined;
let ghost = { start: 0, end: 0 };
let length = 0;

function drawnOf(one: TuneObject): Drawn[] {
  return one.lines.flatMap((line) => (line.staff ?? []).flatMap((staff) => (staff.voices ?? []) as unknown as Drawn[][]).flat());
}

function mark(one: TuneObject, name: string, isMarked: (start: number, end: number) => boolean): void {
  for (const { startChar, endChar, abselem } of drawnOf(one)) {
    const isOne = startChar !== undefined && endChar !== undefined && isMarked(startChar, endChar);
    abselem?.elemset?.forEach((svg) => svg?.classList.toggle(name, isOne));
  }
}

function markGhost(one: TuneObject, start: number, end: number): void {
  mark(one, 'ghost', (from, to) => end > start && from >= start && to <= end + 1 && from < end);
  markBeams(one);
}

/** Beams belong to no single note: they are grey where no note of their measure and voice is black. */
function markBeams(one: TuneObject): void {
  const place = (svg: Element): string => (svg.getAttribute('class') ?? '').match(/abcjs-(?:mm|v)\d+/g)?.join() ?? '';
  const notes = drawnOf(one).flatMap(({ abselem }) => abselem?.elemset ?? []).filter((svg) => svg?.classList.contains('abcjs-note'));
  const black = new Set(notes.flatMap((svg) => (svg && !svg.classList.contains('ghost') ? [place(svg)] : [])));
  const root = notes.find((svg) => svg !== undefined)?.closest('svg');
  root?.querySelectorAll('.abcjs-beam-elem').forEach((beam) => beam.classList.toggle('ghost', !black.has(place(beam))));
}

function render(target: HTMLElement, text: string, startingTune: number): TuneObject {
  const [drawn] = renderAbc(target, text, {
    add_classes: true,
    responsive: 'resize',
    startingTune,
    clickListener: ({ startChar: start = -1, endChar: end = -1 }) => {
      if (start >= 0 && (start < ghost.start || ghost.start === ghost.end)) {
        tell({ kind: 'select', start, end });
      }
    },
  });
  return drawn;
}

/** The notes of a tune as they sound, with where each is written. */
function soundsOf(one: TuneObject): Located[] {
  interface Played { readonly cmd: string; readonly pitch: number; readonly start: number; readonly duration: number; readonly startChar: number }
  const sequence = (one as unknown as { setUpAudio(options: object): { tempo: number; tracks: Played[][] } }).setUpAudio({});
  const seconds = 240 / sequence.tempo;
  return sequence.tracks.flat().filter(({ cmd }) => cmd === 'note').map(({ pitch, start, duration, startChar }) => ({
    pitch,
    start: start * seconds,
    duration: duration * seconds,
    startChar,
  }));
}

function between(from: number, to: number): Located[] {
  return tune === undefined ? [] : soundsOf(tune).filter(({ startChar }) => startChar >= from && startChar < to);
}

function drawCandidates(before: string, texts: readonly string[], number: number): void {
  const section = element('candidates');
  section.hidden = false;
  section.replaceChildren();
  texts.forEach((text, index) => {
    const block = document.createElement('div');
    block.className = 'candidate';
    const paper = document.createElement('div');
    const whole = withoutEarlierLines(before);
    block.append(paper, buttons(index, () => {
      const end = whole.length + text.length;
      return soundsOf(drawn).filter(({ startChar }) => startChar >= whole.length && startChar < end);
    }));
    section.append(block);
    const drawn = render(paper, whole + text, whole === before ? number : 0);
    markGhost(drawn, whole.length, whole.length + text.length);
  });
}

/** The header of the last tune and its last line of music: enough to draw what comes next. */
function withoutEarlierLines(before: string): string {
  const lines = before.slice(Math.max(0, before.lastIndexOf('\nX:') + 1)).split('\n');
  const key = lines.findIndex((line) => line.startsWith('K:'));
  const last = lines.length - 1;
  return key < 0 || key >= last ? before : [...lines.slice(0, key + 1).filter((line) => !line.startsWith('T:')), lines[last]].join('\n');
}

function buttons(index: number, sounds: () => readonly Sound[]): HTMLElement {
  const row = document.createElement('div');
  row.className = 'buttons';
  const button = (label: string, act: () => void): void => {
    const one = document.createElement('button');
    one.type = 'button';
    one.textContent = label;
    one.addEventListener('click', act);
    row.append(one);
  };
  button(`▶ Candidate ${index + 1}`, () => play(sounds()));
  button(`Insert candidate ${index + 1}`, () => tell({ kind: 'insert', candidate: index }));
  return row;
}

controls(
  () => between(0, length),
  () => between(ghost.start, ghost.end),
);

listen((message) => {
  switch (message.kind) {
    case 'draw':
      ghost = { start: message.ghostStart, end: message.ghostEnd };
      length = message.text.length;
      tune = render(element('score'), message.text, message.tune);
      markGhost(tune, ghost.start, ghost.end);
      break;
    case 'cursor':
      if (tune !== undefined) {
        mark(tune, 'lit', (start, end) => start <= message.offset && message.offset < end && ghost.start === ghost.end);
      }
      break;
    case 'candidates':
      drawCandidates(message.before, message.candidates, message.tune);
      break;
    case 'play':
      play(between(message.from, message.to));
      break;
    case 'stop':
      stop();
      break;
  }
});
