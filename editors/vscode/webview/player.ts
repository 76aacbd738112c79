/**
 * Plays notes with the packed samples of a piano; nothing comes from the network.
 *
 * A note sounds the nearest sample, faster or slower. Notes are given to the browser a moment before they sound, so that
 * tempo and loop can be changed while it plays.
 */

import type { Sound } from '../src/music/sounds';
import { element } from './host';
import { SAMPLES } from './samples';

const LOUDNESS = 0.5;
/** Seconds that a note takes to die away. */
const RELEASE = 0.15;
/** How often it is looked what comes next, in milliseconds, and how far ahead, in seconds; a hidden page's clock is slow. */
const TICK = 60;
const AHEAD = { shown: 0.3, hidden: 1.6 };
/** Silence before the first note and between two rounds, in seconds. */
const BREATH = 0.1;

type OnSounding = (sounding: ReadonlySet<number>) => void;

let audio: AudioContext | undefined;
const buffers = new Map<string, Promise<AudioBuffer>>();
let playing: Playing | undefined;
let calls = 0;

/**
 * Play, in place of what plays.
 *
 * @param sounds in order of time
 * @param onSounding told which places of the text sound now
 * @param say tells the user why nothing is heard; empty if something is
 */
export async function play(sounds: readonly Sound[], onSounding: OnSounding, say: (text: string) => void): Promise<void> {
  stop();
  if (sounds.length === 0) {
    say('There is nothing to play here.');
    return;
  }
  say('');
  const call = calls;
  try {
    audio ??= new AudioContext();
    const context = audio;
    const names = [...new Set(sounds.map(({ pitch }) => nearest(pitch).name))];
    const loaded = new Map(await Promise.all(names.map(async (name) => [name, await load(context, name)] as const)));
    if (call !== calls) {
      return;
    }
    context.resume().catch(() => undefined);
    playing = new Playing(context, sounds, loaded, onSounding);
    element<HTMLButtonElement>('stop').disabled = false;
    if (context.state !== 'running') {
      say('The browser holds sound back until you click here.');
      context.onstatechange = () => context.state === 'running' && say('');
    }
  } catch (error) {
    say(`This cannot be played: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function stop(): void {
  calls += 1;
  playing?.end();
  playing = undefined;
  element<HTMLButtonElement>('stop').disabled = true;
}

/** Connect the controls of the page. */
export function controls(onPlay: (what: 'all' | 'cursor' | 'suggestion') => void): void {
  element('play').addEventListener('click', () => onPlay('all'));
  element('play-cursor').addEventListener('click', () => onPlay('cursor'));
  element('play-suggestion').addEventListener('click', () => onPlay('suggestion'));
  element('stop').addEventListener('click', stop);
  const tempo = element<HTMLInputElement>('tempo');
  tempo.addEventListener('input', () => {
    element('tempo-shown').textContent = `${tempo.value} %`;
    playing?.changeSpeed();
  });
}

function speed(): number {
  return Number(element<HTMLInputElement>('tempo').value) / 100;
}

/** One performance. Score time is as written; the context's time is the browser's. */
class Playing {
  private readonly output: GainNode;
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly first: number;
  private readonly length: number;
  private next = 0;
  /** A moment in both times, and the speed from there. */
  private anchor: { score: number; context: number; speed: number };

  constructor(
    private readonly context: AudioContext,
    private readonly sounds: readonly Sound[],
    private readonly samples: ReadonlyMap<string, AudioBuffer>,
    private readonly onSounding: OnSounding,
  ) {
    this.output = context.createGain();
    this.output.gain.value = LOUDNESS;
    this.output.connect(context.destination);
    this.first = sounds[0].start;
    this.length = Math.max(...sounds.map(({ start, duration }) => start + duration)) - this.first;
    this.anchor = { score: 0, context: context.currentTime + BREATH, speed: speed() };
    this.timer = setInterval(() => this.tick(), TICK);
    this.tick();
  }

  end(): void {
    clearInterval(this.timer);
    this.output.disconnect();
    this.onSounding(new Set());
  }

  changeSpeed(): void {
    this.anchor = { score: this.scoreTime(), context: this.context.currentTime, speed: speed() };
  }

  private scoreTime(): number {
    return this.anchor.score + (this.context.currentTime - this.anchor.context) * this.anchor.speed;
  }

  private tick(): void {
    const horizon = this.context.currentTime + (document.hidden ? AHEAD.hidden : AHEAD.shown);
    for (; this.next < this.sounds.length; this.next += 1) {
      const sound = this.sounds[this.next];
      const when = this.anchor.context + (sound.start - this.first - this.anchor.score) / this.anchor.speed;
      if (when > horizon) {
        break;
      }
      this.ring(sound, Math.max(when, this.context.currentTime));
    }
    const now = this.scoreTime();
    this.onSounding(new Set(this.sounds.filter(({ start, duration }) => start - this.first <= now && now < start - this.first + duration).map(({ at }) => at)));
    if (now < this.length) {
      return;
    }
    if (element<HTMLInputElement>('loop').checked) {
      this.next = 0;
      this.anchor = { score: 0, context: this.context.currentTime + BREATH, speed: speed() };
    } else {
      clearInterval(this.timer);
      element<HTMLButtonElement>('stop').disabled = true;
    }
  }

  private ring({ pitch, duration }: Sound, from: number): void {
    const { name, midi } = nearest(pitch);
    const until = from + duration / this.anchor.speed;
    const source = new AudioBufferSourceNode(this.context, {
      buffer: this.samples.get(name),
      playbackRate: 2 ** ((pitch - midi) / 12),
    });
    const gain = this.context.createGain();
    gain.gain.setValueAtTime(1, until);
    gain.gain.setTargetAtTime(0, until, RELEASE / 3);
    source.connect(gain).connect(this.output);
    source.start(from);
    source.stop(until + RELEASE * 2);
  }
}

function nearest(pitch: number): (typeof SAMPLES)[number] {
  return SAMPLES.reduce((best, one) => (Math.abs(one.midi - pitch) < Math.abs(best.midi - pitch) ? one : best));
}

function load(context: AudioContext, name: string): Promise<AudioBuffer> {
  const known = buffers.get(name);
  if (known !== undefined) {
    return known;
  }
  const loading = fetch(`${document.body.dataset.sounds ?? ''}/${name}.mp3`).then(async (answer) => {
    if (!answer.ok) {
      throw new Error(`the sample ${name} could not be read (${answer.status}).`);
    }
    return context.decodeAudioData(await answer.arrayBuffer());
  });
  buffers.set(name, loading);
  loading.catch(() => buffers.delete(name));
  return loading;
}
