/**
 * The extension's own Python environment: made in its storage folder from the wheel packed in the extension.
 *
 * A stamp beside it names the wheel that it was made from; an environment without the right stamp is made anew, so an
 * interrupted installation or an update of the extension never leaves half a server behind.
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { findPython } from './python';
import { run } from './run';

export interface Steps {
  /** Told what is being done, for a progress notification. */
  readonly report: (message: string) => void;
  /** Told everything, for the log. */
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

export class Environment {
  private readonly folder: string;
  private readonly stamp: string;

  /**
   * @param storage the extension's storage folder; need not exist
   * @param wheels the folder of the packed wheel
   */
  constructor(
    storage: string,
    private readonly wheels: string,
    platform: NodeJS.Platform = process.platform,
  ) {
    this.folder = join(storage, 'server');
    this.stamp = join(storage, 'server.sha256');
    const scripts = join(this.folder, platform === 'win32' ? 'Scripts' : 'bin');
    const suffix = platform === 'win32' ? '.exe' : '';
    this.program = join(scripts, `ghostnote${suffix}`);
    this.python = join(scripts, `python${suffix}`);
  }

  readonly program: string;
  private readonly python: string;

  /** `fresh`: made from the packed wheel; `stale`: made from another one, or unfinished; `absent`: never made. */
  async state(): Promise<'fresh' | 'stale' | 'absent'> {
    if (!existsSync(this.program)) {
      return existsSync(this.folder) ? 'stale' : 'absent';
    }
    const made = await readFile(this.stamp, 'utf8').catch(() => '');
    const wheel = await this.wheel().catch(() => undefined);
    return wheel === undefined || made === (await digest(wheel)) ? 'fresh' : 'stale';
  }

  /** Make it, or make it anew. @throws Error with a message for the user. */
  async make(chosen: string | undefined, steps: Steps): Promise<void> {
    const wheel = await this.wheel();
    steps.report('looking for Python …');
    const python = await findPython(chosen, steps.log);
    steps.report('making an environment …');
    await rm(this.stamp, { force: true });
    await rm(this.folder, { recursive: true, force: true });
    await mkdir(this.folder, { recursive: true });
    await this.step('make an environment', python.program, [...python.args, '-m', 'venv', this.folder], steps);
    steps.report('installing the server (about 100 MB, once) …');
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--retries', '3', wheel];
    await this.step('install the server', this.python, pip, steps);
    steps.report('trying it …');
    await this.step('start the server', this.program, ['--version'], steps);
    await writeFile(this.stamp, await digest(wheel));
  }

  private async step(what: string, program: string, args: readonly string[], steps: Steps): Promise<void> {
    steps.log(`${program} ${args.join(' ')}`);
    const { code, stderr, stdout } = await run(program, args, { signal: steps.signal, onLine: steps.log });
    if (steps.signal.aborted) {
      throw new Error('The installation was cancelled.');
    }
    if (code !== 0) {
      throw new Error(`Could not ${what}: ${reason(`${stdout}\n${stderr}`)}`);
    }
  }

  private async wheel(): Promise<string> {
    const names = (await readdir(this.wheels).catch((): string[] => [])).filter((name) => name.endsWith('.whl'));
    if (names.length !== 1) {
      throw new Error(`The extension should hold one wheel in ${this.wheels} but holds ${names.length}. Install it again.`);
    }
    return join(this.wheels, names[0]);
  }
}

async function digest(path: string): Promise<string> {
  return createHash('sha256').update(await readFile(path)).digest('hex');
}

/** The line of a failed program's output that says most, with a way out where one is known. */
export function reason(output: string): string {
  if (/Temporary failure in name resolution|NewConnectionError|ConnectTimeout|ProxyError|getaddrinfo/i.test(output)) {
    return 'the Python package index cannot be reached. Check the network or proxy, or install ghostnote yourself and set ghostnote.path.';
  }
  if (/No space left on device|ENOSPC/i.test(output)) {
    return 'the disk is full.';
  }
  const lines = output.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '');
  const telling = lines.filter((line) => /error/i.test(line));
  return telling.at(-1) ?? lines.at(-1) ?? 'it said nothing. The log may tell more.';
}
