/** The piano's samples that are packed, by name and MIDI number; a tritone apart, so none is stretched by more than three semitones. */

export const SAMPLES = [
  { name: 'A1', midi: 33 },
  { name: 'Ds2', midi: 39 },
  { name: 'A2', midi: 45 },
  { name: 'Ds3', midi: 51 },
  { name: 'A3', midi: 57 },
  { name: 'Ds4', midi: 63 },
  { name: 'A4', midi: 69 },
  { name: 'Ds5', midi: 75 },
  { name: 'A5', midi: 81 },
  { name: 'Ds6', midi: 87 },
  { name: 'A6', midi: 93 },
] as const;
