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

/** Ask about the model that the settings choose. */
export async function askDoctor(program: string, model: string, provider: string): Promise<Model | undefined> {
  const { stdout } = await run(program, ['doctor', '--json', '--model', model, '--provider', provider], { timeout: 60000 });
  return readDoctor(stdout);
}
