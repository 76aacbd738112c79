/** The preview of MusicXML, drawn by OpenSheetMusicDisplay. */

import { OpenSheetMusicDisplay, type GraphicalNote } from 'opensheetmusicdisplay';

import { readMusicXml, type Note } from '../src/music/musicxml';
import { show, type Drawing, type Request, type Span } from './view';

/** What a drawn note is made of; only the SVG notes of OpenSheetMusicDisplay have it. */
interface SvgNote extends GraphicalNote {
  getSVGGElement(): SVGGElement | undefined;
  getBeamSVGs(): (Element | undefined)[];
  getLedgerLineSVGs(): (Element | undefined)[];
}

/** The semitones between a pitch of OpenSheetMusicDisplay and its MIDI number. */
const MIDI_OF_HALF_TONE = 12;
/** How many measures before the suggestion an excerpt has. */
const MEASURES_BEFORE = 1;

const displays = new WeakMap<HTMLElement, OpenSheetMusicDisplay>();

show(draw);

async function draw(target: HTMLElement, request: Request, onClick: (place: Span) => void): Promise<Drawing> {
  const score = readMusicXml(request.text);
  const display = displayIn(target);
  await display.load(new DOMParser().parseFromString(score.xml, 'text/xml'));
  if (request.isExcerpt) {
    keepNear(display, score.notes, request.ghost);
  }
  display.zoom = request.isExcerpt ? 0.55 : 0.7;
  display.render();
  const drawn = matched(display, score.notes);
  const noteOf = new Map<Element, Note>();
  for (const [note, svg] of drawn) {
    const group = svg.getSVGGElement();
    if (group && !noteOf.has(group)) {
      noteOf.set(group, note);
    }
  }
  target.onclick = ({ target: clicked }) => {
    const group = clicked instanceof Element ? clicked.closest('.vf-stavenote') : null;
    const note = group && noteOf.get(group);
    if (note) {
      onClick(note);
    }
  };
  return {
    ghost: request.ghost,
    places: [...drawn.keys()],
    sounds: score.sounds,
    mark: (name, isMarked) => mark(drawn, name, isMarked),
  };
}

function displayIn(target: HTMLElement): OpenSheetMusicDisplay {
  const known = displays.get(target);
  if (known !== undefined) {
    return known;
  }
  const display = new OpenSheetMusicDisplay(target, { autoResize: false, backend: 'svg', drawingParameters: 'compacttight' });
  displays.set(target, display);
  return display;
}

/** Draw only the suggestion's measures and those before them. */
function keepNear({ EngravingRules: rules }: OpenSheetMusicDisplay, notes: readonly Note[], ghost: Span): void {
  const measures = notes.filter(({ start }) => start >= ghost.start && start < ghost.end).map(({ measure }) => measure);
  if (measures.length > 0) {
    rules.MinMeasureToDrawIndex = Math.max(0, Math.min(...measures) - MEASURES_BEFORE);
    rules.MaxMeasureToDrawIndex = Math.max(...measures);
    // In a score with a pickup the numbers, which then are the indices, count more.
    rules.MinMeasureToDrawNumber = rules.MinMeasureToDrawIndex;
    rules.MaxMeasureToDrawNumber = rules.MaxMeasureToDrawIndex;
  }
}

/** Which note of the text is drawn where: alike are measure, staff, onset and pitch, and then the order. */
function matched(display: OpenSheetMusicDisplay, notes: readonly Note[]): Map<Note, SvgNote> {
  const waiting = new Map<string, Note[]>();
  for (const note of notes) {
    const key = keyOf(note.measure, note.staff, note.onset, note.written);
    waiting.set(key, [...(waiting.get(key) ?? []), note]);
  }
  const found = new Map<Note, SvgNote>();
  for (const drawn of drawnNotes(display)) {
    const { sourceNote } = drawn;
    const { SourceMeasure: measure, ParentStaff: staff, ParentVoiceEntry: entry } = sourceNote;
    const written = sourceNote.isRest() ? undefined : sourceNote.halfTone + MIDI_OF_HALF_TONE;
    const key = keyOf(measure.measureListIndex, staff.idInMusicSheet, entry.Timestamp.RealValue, written);
    const note = waiting.get(key)?.shift();
    if (note !== undefined) {
      found.set(note, drawn);
    }
  }
  return found;
}

function keyOf(measure: number, staff: number, onset: number, written: number | undefined): string {
  return `${measure} ${staff} ${onset.toFixed(4)} ${written ?? 'rest'}`;
}

function drawnNotes(display: OpenSheetMusicDisplay): SvgNote[] {
  const measures = display.GraphicSheet.MeasureList.flat().filter((measure) => measure?.staffEntries);
  const entries = measures.flatMap(({ staffEntries }) => staffEntries).flatMap(({ graphicalVoiceEntries }) => graphicalVoiceEntries);
  return entries.flatMap(({ notes }) => notes as SvgNote[]).filter((note) => note.getSVGGElement?.());
}

/** A chord is one drawing: it has a mark if one of its notes has. */
function mark(drawn: ReadonlyMap<Note, SvgNote>, name: string, isMarked: (place: Span) => boolean): void {
  const pieces = new Map<Element, boolean>();
  for (const [note, svg] of drawn) {
    const isOne = isMarked(note);
    for (const piece of [svg.getSVGGElement(), ...svg.getBeamSVGs(), ...svg.getLedgerLineSVGs()]) {
      if (piece) {
        pieces.set(piece, isOne || (pieces.get(piece) ?? false));
      }
    }
  }
  pieces.forEach((isOne, piece) => piece.classList.toggle(name, isOne));
}
