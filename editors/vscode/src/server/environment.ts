/**
 * The extension's own Python environment: made in its storage folder from the wheel packed in the extension.
 *
 * Each wheel has a folder of its own, so an update of the extension takes nothing from a window that still runs the
 * server before it. A stamp in the folder says that it was finished: an interrupted installation is made anew. Of several
 * windows one makes it, and the others wait for that.
 */

import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { alone } from './lock';
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
  /**
   * @param storage the extension's storage folder; need not exist
   * @param wheels the folder of the packed wheel
   */
  constructor(
    private readonly storage: string,
    private readonly wheels: string,
    private readonly platform: NodeJS.Platform = process.platform,
  ) {}

  /** The server's program, which need not exist. @throws Error if no wheel is packed. */
  async program(): Promise<string> {
    return this.script(await this.folder(), 'ghostnote');
  }

  /** `fresh`: made from the packed wheel; `stale`: made from another one; `absent`: none was finished. */
  async state(): Promise<'fresh' | 'stale' | 'absent'> {
    const folder = await this.folder().catch(() => undefined);
    if (folder !== undefined && isFinished(folder)) {
      return 'fresh';
    }
    return (await this.others(folder)).some(isFinished) ? 'stale' : 'absent';
  }

  /** Make it, unless it is there and starts. @throws Error with a message for the user. */
  async make(chosen: string | undefined, steps: Steps): Promise<void> {
    const folder = await this.folder();
    await mkdir(this.storage, { recursive: true });
    steps.report('waiting for its turn …');
    try {
      await alone(join(this.storage, 'server.lock'), steps.signal, () => this.makeAlone(folder, chosen, steps));
    } catch (error) {
      throw steps.signal.aborted ? new Error('The installation was cancelled.') : error;
    }
  }

  private async makeAlone(folder: string, chosen: string | undefined, steps: Steps): Promise<void> {
    const program = this.script(folder, 'ghostnote');
    if (isFinished(folder) && (await run(program, ['--version'])).code === 0) {
      return;
    }
    steps.report('looking for Python …');
    const python = await findPython(chosen, steps.log);
    steps.report('making an environment …');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    await this.step('make an environment', python.program, [...python.args, '-m', 'venv', folder], steps);
    steps.report('installing the server (about 100 MB, once) …');
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--retries', '3', await this.wheel()];
    await this.step('install the server', this.script(folder, 'python'), pip, steps);
    steps.report('trying it …');
    await this.step('start the server', program, ['--version'], steps);
    await writeFile(stampOf(folder), '');
    await this.sweep(folder);
  }

  /** Of those before it, only the newest can still run in a window. */
  private async sweep(folder: string): Promise<void> {
    const age = (one: string): number => -statSync(one).mtimeMs;
    const [, ...old] = (await this.others(folder)).sort((one, other) => age(one) - age(other));
    await Promise.all(old.map((one) => rm(one, { recursive: true, force: true }).catch(() => undefined)));
  }

  /** The environments of other wheels. */
  private async others(folder: string | undefined): Promise<string[]> {
    const names = (await readdir(this.storage).catch((): string[] => [])).filter((name) => name.startsWith('server-'));
    return names.map((name) => join(this.storage, name)).filter((one) => one !== folder);
  }

  private async folder(): Promise<string> {
    return join(this.storage, `server-${(await digest(await this.wheel())).slice(0, 12)}`);
  }

  private script(folder: string, name: string): string {
    return this.platform === 'win32' ? join(folder, 'Scripts', `${name}.exe`) : join(folder, 'bin', name);
  }

  private async step(what: string, program: string, args: readonly string[], steps: Steps): Promise<void> {
    steps.log(`${program} ${args.join(' ')}`);
    const { code, stderr, stdout } = await run(program, args, { signal: steps.signal, onLine: steps.log });
    steps.signal.throwIfAborted();
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

function stampOf(folder: string): string {
  return join(folder, 'finished');
}

function isFinished(folder: string): boolean {
  return existsSync(stampOf(folder));
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
