/**
 * The running server: started, watched, started again with back-off when it ends unasked, and stopped.
 *
 * Each start has a language client of its own, so that nothing is left over from the one before.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';

import { EventEmitter, commands, window, workspace, type LogOutputChannel } from 'vscode';
import { CloseAction, ErrorAction, LanguageClient, type Middleware } from 'vscode-languageclient/node';

import { SELECTOR } from '../languages';
import { RestartPolicy } from './restart';

export type State =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'waiting'; readonly seconds: number; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string };

/** How many characters of standard error are kept to say why the server ended. */
const KEPT = 4000;
/** How long a server that was asked to end may take, in milliseconds. */
const GRACE = 3000;
/** How long to wait for the last words of a server that has ended, in milliseconds. */
const LAST_BREATH = 2000;

/** A server's process, what it said last on standard error, and when nothing more can come from it. */
interface Running {
  readonly process: ChildProcess;
  readonly gone: Promise<unknown>;
  errors: string;
}

/** The language client, without its own messages about a server that does not start: `Server` says why, once. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

export class Server {
  private readonly changed = new EventEmitter<State>();
  readonly onDidChangeState = this.changed.event;
  private readonly policy = new RestartPolicy();
  private current: State = { kind: 'stopped' };
  private client: LanguageClient | undefined;
  private child: Running | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Raised whenever what runs is to end: what was begun before then gives up. */
  private generation = 0;

  constructor(
    private readonly output: LogOutputChannel,
    private readonly middleware: Middleware,
  ) {}

  get state(): State {
    return this.current;
  }

  /** The client, while the server runs. */
  get running(): LanguageClient | undefined {
    return this.current.kind === 'running' ? this.client : undefined;
  }

  /** Start `program`, in place of what runs. Never rejects: what fails is in the state and in a message. */
  async start(program: string): Promise<void> {
    const stopped = this.stop();
    const { generation } = this;
    await stopped;
    if (generation === this.generation) {
      this.policy.reset();
      await this.launch(program);
    }
  }

  /** End it and stay ended. */
  async stop(): Promise<void> {
    this.generation += 1;
    clearTimeout(this.timer);
    const { client, child } = this;
    this.client = undefined;
    this.child = undefined;
    this.become({ kind: 'stopped' });
    await client?.stop(GRACE).catch(() => undefined);
    await client?.dispose().catch(() => undefined);
    child?.process.kill();
  }

  async dispose(): Promise<void> {
    await this.stop();
    this.changed.dispose();
  }

  private async launch(program: string): Promise<void> {
    this.output.info(`starting ${program} serve`);
    this.become({ kind: 'starting' });
    const { generation } = this;
    const client = new QuietClient('ghostnote', 'Ghostnote', () => this.spawn(program, generation), {
      documentSelector: SELECTOR,
      initializationOptions: { ...workspace.getConfiguration('ghostnote') },
      outputChannel: this.output,
      middleware: this.middleware,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          void this.ended(client, program);
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
    });
    this.client = client;
    try {
      await client.start();
    } catch (error) {
      await this.ended(client, program, error instanceof Error ? error.message : String(error));
      return;
    }
    if (this.client === client) {
      this.become({ kind: 'running' });
    }
  }

  private async spawn(program: string, generation: number): Promise<ChildProcess> {
    if (generation !== this.generation) {
      throw new Error('it was stopped before it started');
    }
    return new Promise((resolve, reject) => {
      const child = spawn(program, ['serve', '--stdio'], { stdio: 'pipe', windowsHide: true });
      child.on('error', reject);
      child.on('spawn', () => resolve(child));
      const running: Running = { process: child, gone: new Promise((gone) => child.on('close', gone)), errors: '' };
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        running.errors = (running.errors + text).slice(-KEPT);
      });
      this.child = running;
    });
  }

  /** A server ended that nobody asked to end; `failure` is what the client saw of it. */
  private async ended(client: LanguageClient, program: string, failure = 'it gave no reason'): Promise<void> {
    if (this.client !== client) {
      return;
    }
    this.client = undefined;
    void client.dispose().catch(() => undefined);
    const { child, generation } = this;
    this.child = undefined;
    const why = await whyEnded(child, failure);
    child?.process.kill();
    if (generation !== this.generation) {
      return;
    }
    const delay = this.policy.ended(Date.now());
    this.output.error(`the server ended: ${why}`);
    if (delay === undefined) {
      this.become({ kind: 'failed', why });
      void this.tellFailed(why);
      return;
    }
    this.become({ kind: 'waiting', seconds: delay / 1000, why });
    this.timer = setTimeout(() => void this.launch(program), delay);
  }

  private async tellFailed(why: string): Promise<void> {
    const choice = await window.showErrorMessage(
      `Ghostnote's server keeps ending and is not started again: ${why}`,
      'Restart',
      'Show the Log',
    );
    if (choice !== undefined) {
      await commands.executeCommand(choice === 'Restart' ? 'ghostnote.restart' : 'ghostnote.showLog');
    }
  }

  private become(state: State): void {
    this.current = state;
    void commands.executeCommand('setContext', 'ghostnote.running', state.kind === 'running');
    this.changed.fire(state);
  }
}

/** What a server said last, else `failure`, and how it ended; its last words may come after its end. */
async function whyEnded(child: Running | undefined, failure: string): Promise<string> {
  await Promise.race([child?.gone, setTimeoutPromise(LAST_BREATH)]);
  const said = child?.errors.trimEnd().split(/\r?\n/).at(-1)?.trim();
  const { exitCode, signalCode } = child?.process ?? {};
  const how = signalCode ? ` (signal ${signalCode})` : typeof exitCode === 'number' ? ` (exit code ${exitCode})` : '';
  return (said || failure) + how;
}
