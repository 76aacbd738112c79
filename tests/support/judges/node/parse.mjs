// What abcjs says about ABC texts: one JSON string a line in, one JSON object a line out.
//
// {"warnings": [...], "voices": [[{"length", "metre", "bar", "start", "end"}, ...], ...]}: lengths and metres in whole
// notes (metre 0: free), `bar` the type of the barline that ends the measure (empty: none does), `start` and `end`
// offsets in UTF-16 units. A measure with nothing but invisible rests is left out: abcjs pads overlays with them.
import { createInterface } from "node:readline";
import abcjs from "abcjs";

const METRES = { common_time: 1, cut_time: 1 };
const PASSED_OVER = new Set(["bar_dotted", "bar_invisible"]);

function lengthOf(metre) {
  if (!metre) return 0;
  if (metre.type !== "specified") return METRES[metre.type] ?? 0;
  return metre.value.reduce((sum, one) => {
    const beats = String(one.num).split("+").reduce((total, beat) => total + Number(beat), 0);
    return sum + beats / Number(one.den ?? 1);
  }, 0);
}

class VoiceReader {
  constructor() {
    this.measures = [];
    this.metre = 0;
    this.tuplet = 1;
    this.open();
  }

  open() {
    this.measure = { length: 0, metre: this.metre, bar: "", start: -1, end: -1 };
    this.heard = false;
  }

  read(element) {
    if (element.el_type === "meter") this.setMetre(element);
    if (element.el_type === "note") this.addNote(element);
    if (element.el_type === "bar" && !PASSED_OVER.has(element.type)) this.close(element);
  }

  setMetre(metre) {
    this.metre = lengthOf(metre);
    if (this.measure.length === 0) this.measure.metre = this.metre;
  }

  addNote(note) {
    if (note.startTriplet) this.tuplet = note.tripletMultiplier;
    const spacer = note.rest?.type === "spacer";
    if (!spacer) this.measure.length += note.duration * this.tuplet;
    if (note.endTriplet) this.tuplet = 1;
    this.heard ||= !spacer && note.rest?.type !== "invisible";
    if (this.measure.start < 0) this.measure.start = note.startChar;
    this.measure.end = note.endChar;
  }

  close(bar) {
    this.measure.bar = bar.type;
    if (this.measure.start < 0) this.measure.start = bar.startChar;
    this.measure.end = bar.endChar;
    if (this.heard) this.measures.push(this.measure);
    else if (this.measures.length > 0 && this.measure.length === 0) this.measures.at(-1).bar = bar.type;
    this.open();
  }
}

function voicesOf(tune) {
  const readers = new Map();
  for (const line of tune.lines) {
    (line.staff ?? []).forEach((staff, staffIndex) => {
      staff.voices.forEach((elements, voiceIndex) => {
        const key = `${staffIndex}.${voiceIndex}`;
        if (!readers.has(key)) readers.set(key, new VoiceReader());
        const reader = readers.get(key);
        if (staff.meter) reader.setMetre(staff.meter);
        elements.forEach((element) => reader.read(element));
      });
    });
  }
  return [...readers.values()].map((reader) => reader.measures);
}

function judge(text) {
  try {
    const tunes = abcjs.parseOnly(text);
    return { warnings: tunes.flatMap((tune) => tune.warnings ?? []), voices: tunes.flatMap(voicesOf) };
  } catch (error) {
    return { warnings: [`abcjs fell over: ${error}`], voices: [] };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(judge(JSON.parse(line))));
}
