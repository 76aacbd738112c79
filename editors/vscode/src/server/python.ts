/**
 * Which Python can hold the server: 3.11 or later, with venv and ensurepip.
 *
 * Reading what an interpreter answers is pure; asking it is `findPython`.
 */

import { run } from './run';

const LEAST_PYTHON = [3, 11] as const;

/** The question: version, and whether environments can be made. One line, read by `readAnswer`. */
const QUESTION = [
  'import sys',
  'import importlib.util as u',
  "print(sys.version_info[0], sys.version_info[1], all(u.find_spec(n) for n in ('venv', 'ensurepip')))",
].join('\n');

export interface Interpreter {
  readonly program: string;
  readonly args: readonly string[];
}

export type Verdict =
  | { readonly kind: 'fit' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'old'; readonly version: string }
  | { readonly kind: 'bare'; readonly version: string };

/** What an interpreter's answer means; text that is no answer means that there is no interpreter. */
export function readAnswer(stdout: string): Verdict {
  const found = /^(\d+) (\d+) (True|False)\s*$/m.exec(stdout);
  if (found === null) {
    return { kind: 'absent' };
  }
  const [major, minor] = [Number(found[1]), Number(found[2])];
  const version = `${major}.${minor}`;
  if (major < LEAST_PYTHON[0] || (major === LEAST_PYTHON[0] && minor < LEAST_PYTHON[1])) {
    return { kind: 'old', version };
  }
  return found[3] === 'True' ? { kind: 'fit' } : { kind: 'bare', version };
}

/** The interpreters to try, the user's choice first. */
export function interpreters(chosen: string | undefined, platform: NodeJS.Platform): Interpreter[] {
  const names = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python'];
  const found: Interpreter[] = chosen ? [{ program: chosen, args: [] }] : [];
  if (platform === 'win32') {
    found.push({ program: 'py', args: ['-3'] });
  }
  return found.concat(names.map((program) => ({ program, args: [] })));
}

/** Why none of the interpreters will do, and what to do about it. */
export function explainNone(verdicts: ReadonlyMap<string, Verdict>, platform: NodeJS.Platform): string {
  const wanted = `Ghostnote needs Python ${LEAST_PYTHON.join('.')} or later`;
  for (const [name, verdict] of verdicts) {
    if (verdict.kind === 'bare') {
      const way = platform === 'linux' ? ` Run: sudo apt install python${verdict.version}-venv` : ' Install Python from python.org.';
      return `${name} (${verdict.version}) cannot make virtual environments: it lacks venv or ensurepip.${way}`;
    }
  }
  const old = [...verdicts].flatMap(([name, verdict]) => (verdict.kind === 'old' ? [`${name} is ${verdict.version}`] : []));
  const found = old.length > 0 ? `found only older ones: ${old.join(', ')}` : 'found none';
  return `${wanted}, and ${found}. Install one from python.org or with your system's packages, then try again.`;
}

/** The first interpreter that fits. @throws Error with a message for the user. */
export async function findPython(chosen: string | undefined, log: (line: string) => void): Promise<Interpreter> {
  const verdicts = new Map<string, Verdict>();
  for (const one of interpreters(chosen, process.platform)) {
    const { stdout } = await run(one.program, [...one.args, '-c', QUESTION], { timeout: 20000 });
    const verdict = readAnswer(stdout);
    log(`${one.program}: ${verdict.kind}${'version' in verdict ? ` (${verdict.version})` : ''}`);
    if (verdict.kind === 'fit') {
      return one;
    }
    verdicts.set(one.program, verdict);
  }
  throw new Error(explainNone(verdicts, process.platform));
}
