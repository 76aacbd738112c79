/** The preview of ABC, drawn by abcjs. */

import { renderAbc, type TuneObject } from 'abcjs';

import type { Sound } from '../src/music/sounds';
import { show, type Drawing, type Request, type Span } from './view';

/** What abcjs keeps of a drawn element; offsets are in the text that was drawn. */
interface Drawn {
  readonly el_type?: string;
  readonly startChar?: number;
  readonly endChar?: number;
  readonly abselem?: { readonly elemset?: readonly (SVGElement | undefined)[] };
}

show(async (target, request, onClick) => draw(target, request.isExcerpt ? excerpt(request) : request, onClick));

function draw(target: HTMLElement, { text, ghost, tune }: Request, onClick: (place: Span) => void): Drawing {
  const [drawn] = renderAbc(target, text, {
    add_classes: true,
    responsive: 'resize',
    startingTune: tune,
    clickListener: ({ startChar: start = -1, endChar: end = -1 }) => start >= 0 && onClick({ start, end }),
  });
  const elements = elementsOf(drawn);
  return {
    ghost,
    places: elements.filter(({ el_type: type }) => type === 'note').map(placeOf),
    sounds: soundsOf(drawn),
    mark: (name, isMarked) => {
      for (const one of elements) {
        const isOne = isMarked(placeOf(one));
        one.abselem?.elemset?.forEach((svg) => svg?.classList.toggle(name, isOne));
      }
      if (name === 'ghost') {
        markBeams(elements);
      }
    },
  };
}

function elementsOf(tune: TuneObject): Drawn[] {
  return tune.lines.flatMap((line) => (line.staff ?? []).flatMap((staff) => (staff.voices ?? []) as unknown as Drawn[][]).flat());
}

/** An element without a place is before everything. */
function placeOf({ startChar: start = -1, endChar: end = -1 }: Drawn): Span {
  return { start, end };
}

/** Beams belong to no single note: they are grey where no note of their measure and voice is black. */
function markBeams(elements: readonly Drawn[]): void {
  const place = (svg: Element): string => (svg.getAttribute('class') ?? '').match(/abcjs-(?:mm|v)\d+/g)?.join() ?? '';
  const notes = elements.flatMap(({ abselem }) => abselem?.elemset ?? []).filter((svg) => svg?.classList.contains('abcjs-note'));
  const black = new Set(notes.flatMap((svg) => (svg && !svg.classList.contains('ghost') ? [place(svg)] : [])));
  const root = notes.find((svg) => svg !== undefined)?.closest('svg');
  root?.querySelectorAll('.abcjs-beam-elem').forEach((beam) => beam.classList.toggle('ghost', !black.has(place(beam))));
}

/** The notes of a tune as they sound, repeats played out. */
function soundsOf(tune: TuneObject): Sound[] {
  interface Played { readonly cmd: string; readonly pitch: number; readonly start: number; readonly duration: number; readonly startChar: number }
  const sequence = (tune as unknown as { setUpAudio(options: object): { tempo: number; tracks: Played[][] } }).setUpAudio({});
  const seconds = 240 / sequence.tempo;
  return sequence.tracks.flat().filter(({ cmd }) => cmd === 'note').map(({ pitch, start, duration, startChar }) => ({
    pitch,
    start: start * seconds,
    duration: duration * seconds,
    at: startChar,
  }));
}

/** The header of the suggestion's tune and its line of music: enough to draw what comes next. */
function excerpt(request: Request): Request {
  const { text, ghost } = request;
  const before = text.slice(0, ghost.start);
  const lines = before.slice(Math.max(0, before.lastIndexOf('\nX:') + 1)).split('\n');
  const key = lines.findIndex((line) => line.startsWith('K:'));
  const last = lines.length - 1;
  const isShort = key < 0 || key >= last;
  const kept = isShort ? before : [...lines.slice(0, key + 1).filter((line) => !/^[TRCO]:/.test(line)), lines[last]].join('\n');
  const suggested = text.slice(ghost.start, ghost.end);
  const moved = { start: kept.length, end: kept.length + suggested.length };
  return { ...request, text: kept + suggested, ghost: moved, tune: isShort ? request.tune : 0 };
}
