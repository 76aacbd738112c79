/** What `ghostnote doctor --json` says, for people. Reading it is pure. */

import { run } from './run';

export interface Model {
  readonly name: string;
  readonly size: string;
  readonly provider: string;
  /** What is wrong, with a way out; empty if all is well. */
  readonly problems: readonly string[];
}

interface Answer {
  readonly bundle?: { readonly name?: string; readonly parameters?: number; readonly precision?: string; readonly provider?: string } | null;
  readonly problems?: readonly string[];
}

/** The model in use; undefined if the text is no answer of the doctor's. */
export function readDoctor(stdout: string): Model | undefined {
  let answer: Answer;
  try {
    answer = JSON.parse(stdout) as Answer;
  } catch {
    return undefined;
  }
  const { bundle, problems = [] } = answer;
  const size = bundle?.parameters ? `${(bundle.parameters / 1e6).toFixed(1)} million parameters, ${bundle.precision ?? ''}` : 'size unknown';
  return { name: bundle?.name ?? 'none', size, provider: bundle?.provider ?? 'nothing', problems };
}

/** Settings such as VS Code's. */
interface Settings {
  get(name: string, otherwise: string): string;
}

/** Ask about the model that the settings choose. */
export async function askDoctor(program: string, settings: Settings): Promise<Model | undefined> {
  const { stdout } = await run(program, [...doctorArgs(settings), '--json'], { timeout: 60000 });
  return readDoctor(stdout);
}

export function doctorArgs(settings: Settings): string[] {
  return ['doctor', '--model', settings.get('model', ''), '--provider', settings.get('provider', 'auto')];
}
