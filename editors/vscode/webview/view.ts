/**
 * What the previews of both notations share: the messages, the marks, the candidates, playing.
 *
 * A text that is drawn has the suggestion in it, at `ghost`.
 */

import { soundsFrom, soundsWithin, type Sound } from '../src/music/sounds';
import type { ToPreview } from '../src/preview/messages';
import { element, listen, tell } from './host';
import { controls, play, stop } from './player';

/** Offsets in the text that is drawn; empty if they are equal. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Request {
  readonly text: string;
  readonly ghost: Span;
  /** The number of the tune, from 0; ABC only. */
  readonly tune: number;
  /** Whether what stands near the suggestion is enough. */
  readonly isExcerpt: boolean;
}

export interface Drawing {
  /** Where the suggestion is, in the text that all offsets below are of: an excerpt has a shorter one. */
  readonly ghost: Span;
  /** Where the drawn notes and rests are written. */
  readonly places: readonly Span[];
  readonly sounds: readonly Sound[];
  /** Give a class to what is drawn for the marked places, and take it from everything else. */
  mark(name: string, isMarked: (place: Span) => boolean): void;
}

type Candidates = Extract<ToPreview, { kind: 'candidates' }>;
type Where = Pick<Drawing, 'places' | 'ghost'>;

/** How long the page must keep its width before it is drawn anew, in milliseconds. */
const PAUSE = 150;

/** Draws a text. @throws Error with a message for the user if it cannot be drawn as it stands. */
export type Draw = (target: HTMLElement, request: Request, onClick: (place: Span) => void) => Promise<Drawing>;

export function show(draw: Draw): void {
  let drawing: Drawing | undefined;
  let cursor = 0;
  let wanted = 0;
  let listed = 0;
  let last: Request | undefined;
  let announced = '';

  const light = (): void => {
    const place = drawing && placeAt(drawing, cursor);
    drawing?.mark('lit', (one) => one.start === place?.start);
  };
  const draws = async (request: Request): Promise<void> => {
    const number = ++wanted;
    last = request;
    try {
      const drawn = await draw(element('score'), request, ({ start, end }) => tell({ kind: 'select', start, end }));
      if (number !== wanted) {
        return;
      }
      drawing = drawn;
      markGhost(drawn);
      light();
      reveal('.ghost');
      describe(drawn);
      announced = announce(drawn, request, announced);
      say('');
    } catch (error) {
      if (number === wanted) {
        say(`This cannot be drawn as it stands: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  const plays = (what: 'all' | 'cursor' | 'suggestion'): void => {
    if (drawing !== undefined) {
      void play(chosen(drawing, what, cursor), marker(drawing), say);
    }
  };

  controls(plays);
  whenWidthChanges(() => last && void draws(last));
  listen(async (message) => {
    switch (message.kind) {
      case 'draw':
        await draws({ ...message, isExcerpt: false });
        break;
      case 'cursor':
        cursor = message.offset;
        light();
        reveal('.lit');
        break;
      case 'candidates': {
        const number = ++listed;
        await list(draw, message, () => number === listed);
        break;
      }
      case 'play':
        plays(message.what);
        break;
      case 'stop':
        stop();
        break;
    }
  });
}

function whenWidthChanges(act: () => void): void {
  let width = window.innerWidth;
  let timer: number | undefined;
  window.addEventListener('resize', () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      if (window.innerWidth !== width) {
        width = window.innerWidth;
        act();
      }
    }, PAUSE);
  });
}

function chosen({ sounds, ghost }: Drawing, what: 'all' | 'cursor' | 'suggestion', cursor: number): Sound[] {
  switch (what) {
    case 'all':
      return soundsFrom(sounds, 0);
    case 'cursor':
      return soundsFrom(sounds, cursor);
    case 'suggestion':
      return soundsWithin(sounds, ghost.start, ghost.end);
  }
}

function isIn(ghost: Span, place: Span): boolean {
  return place.start >= ghost.start && place.start < ghost.end;
}

function markGhost(drawing: Drawing): void {
  drawing.mark('ghost', (place) => isIn(drawing.ghost, place));
}

function marker(drawing: Drawing): (sounding: ReadonlySet<number>) => void {
  return (sounding) => drawing.mark('playing', ({ start }) => sounding.has(start));
}

/** The written note at the cursor: the one that begins there, else the one that it stands in or behind. */
function placeAt({ places, ghost }: Drawing, cursor: number): Span | undefined {
  const touched = places.filter((place) => !isIn(ghost, place) && place.start <= cursor && cursor <= place.end);
  return touched.sort((one, other) => other.start - one.start)[0];
}

/** Scroll as little as shows the first of what is marked. */
function reveal(mark: string): void {
  element('score').querySelector(mark)?.scrollIntoView({ block: 'nearest' });
}

/** For those who hear the page instead of seeing it. */
function describe({ places, ghost }: Where): void {
  const suggested = countSuggested({ places, ghost });
  const more = suggested > 0 ? ` and ${suggested} suggested` : '';
  element('score').setAttribute('aria-label', `The score: ${places.length - suggested} notes and rests${more}`);
}

/** Tell of a suggestion that is new, not of what is left of one while it is typed. Gives what need not be told again. */
function announce(drawing: Where, { text, ghost }: Request, told: string): string {
  const suggested = text.slice(ghost.start, ghost.end);
  if (suggested === '' || !told.endsWith(suggested)) {
    const count = countSuggested(drawing);
    element('news').textContent = count > 0 ? `Suggested: ${count} ${count === 1 ? 'note or rest' : 'notes and rests'}` : '';
    return suggested;
  }
  return told;
}

function countSuggested({ places, ghost }: Where): number {
  return places.filter((place) => isIn(ghost, place)).length;
}

function say(text: string): void {
  element('problem').textContent = text;
}

/** Draw candidates one below the other, as long as no others are wanted. */
async function list(draw: Draw, { before, after, candidates, tune }: Candidates, isWanted: () => boolean): Promise<void> {
  const section = element('candidates');
  section.hidden = false;
  section.replaceChildren();
  for (const [index, text] of candidates.entries()) {
    const block = document.createElement('div');
    block.className = 'candidate';
    block.setAttribute('role', 'group');
    block.setAttribute('aria-label', `Candidate ${index + 1} of ${candidates.length}`);
    const paper = document.createElement('div');
    paper.className = 'paper';
    section.append(block);
    block.append(paper);
    const ghost = { start: before.length, end: before.length + text.length };
    const drawing = await draw(paper, { text: before + text + after, ghost, tune, isExcerpt: true }, () => undefined);
    if (!isWanted()) {
      return;
    }
    markGhost(drawing);
    block.prepend(buttons(index, () => void play(chosen(drawing, 'suggestion', 0), marker(drawing), say)));
  }
  section.querySelector('button')?.focus();
  section.scrollIntoView();
}

function buttons(index: number, onPlay: () => void): HTMLElement {
  const row = document.createElement('div');
  row.className = 'buttons';
  const button = (label: string, act: () => void): void => {
    const one = document.createElement('button');
    one.type = 'button';
    one.textContent = label;
    one.addEventListener('click', act);
    row.append(one);
  };
  button(`▶ Candidate ${index + 1}`, onPlay);
  button(`Insert candidate ${index + 1}`, () => tell({ kind: 'insert', candidate: index }));
  return row;
}
