/**
 * Plays notes with the browser's own oscillators: no soundfont, no network.
 *
 * Times are seconds at the tempo that is written; the tempo control scales them.
 */

import { element } from './host';

export interface Sound {
  /** MIDI number. */
  readonly pitch: number;
  readonly start: number;
  readonly duration: number;
}

const ATTACK = 0.01;
const RELEASE = 0.12;
const LOUDNESS = 0.18;

let audio: AudioContext | undefined;
let output: GainNode | undefined;
let again: ReturnType<typeof setTimeout> | undefined;

/** Play, in place of what plays. */
export function play(sounds: readonly Sound[]): void {
  stop();
  if (sounds.length === 0) {
    return;
  }
  audio ??= new AudioContext();
  void audio.resume();
  output = audio.createGain();
  output.connect(audio.destination);
  const scale = 100 / Number(element<HTMLInputElement>('tempo').value);
  const first = Math.min(...sounds.map(({ start }) => start));
  const now = audio.currentTime + 0.05;
  let length = 0;
  for (const sound of sounds) {
    const from = (sound.start - first) * scale;
    ring(audio, output, sound.pitch, now + from, sound.duration * scale);
    length = Math.max(length, from + sound.duration * scale);
  }
  again = setTimeout(() => element<HTMLInputElement>('loop').checked && play(sounds), length * 1000 + 50);
}

export function stop(): void {
  clearTimeout(again);
  output?.disconnect();
  output = undefined;
}

function ring(context: AudioContext, target: AudioNode, pitch: number, from: number, duration: number): void {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.type = 'triangle';
  oscillator.frequency.value = 440 * 2 ** ((pitch - 69) / 12);
  gain.gain.setValueAtTime(0, from);
  gain.gain.linearRampToValueAtTime(LOUDNESS, from + ATTACK);
  gain.gain.setTargetAtTime(LOUDNESS / 3, from + ATTACK, Math.max(duration, 0.1));
  gain.gain.setTargetAtTime(0, from + duration, RELEASE / 4);
  oscillator.connect(gain).connect(target);
  oscillator.start(from);
  oscillator.stop(from + duration + RELEASE);
}

/** Connect the controls of the page. */
export function controls(all: () => readonly Sound[], suggestion: () => readonly Sound[]): void {
  element('play').addEventListener('click', () => play(all()));
  element('play-suggestion').addEventListener('click', () => play(suggestion()));
  element('stop').addEventListener('click', stop);
  const tempo = element<HTMLInputElement>('tempo');
  tempo.addEventListener('input', () => (element('tempo-shown').textContent = `${tempo.value}%`));
}
