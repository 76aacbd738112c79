/** Where the extension begins: it makes its parts, connects them and registers the commands. */

import { commands, env, window, workspace, type ExtensionContext, type LogOutputChannel } from 'vscode';

import { accept } from './accept';
import { isEnabled, isServed } from './languages';
import { PORTIONS } from './music/steps';
import { registerMxl } from './mxl/editor';
import { Previews } from './preview/previews';
import { provide } from './provide';
import { askDoctor, doctorArgs } from './server/doctor';
import { Installation } from './server/install';
import { run } from './server/run';
import { Server } from './server/server';
import { Status } from './status';
import { Suggestions } from './suggestions';
import { menu, toggle } from './toggle';

export function activate(context: ExtensionContext): void {
  const output = window.createOutputChannel('Ghostnote', { log: true });
  const suggestions = new Suggestions();
  const server = new Server(output, { provideInlineCompletionItems: provide(suggestions) });
  const house = new House(context, output, server, suggestions);
  context.subscriptions.push(output, suggestions, server, house.status, house.previews, ...registerMxl());
  for (const [name, action] of house.commands()) {
    context.subscriptions.push(commands.registerCommand(`ghostnote.${name}`, action));
  }
  context.subscriptions.push(
    workspace.onDidOpenTextDocument((document) => isServed(document) && house.startOnce()),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('ghostnote.path')) {
        void house.restart();
      } else if (event.affectsConfiguration('ghostnote.model') || event.affectsConfiguration('ghostnote.provider')) {
        void house.examine();
      }
      if (event.affectsConfiguration('ghostnote.enabled') && !isEnabled(window.activeTextEditor?.document)) {
        void commands.executeCommand('editor.action.inlineSuggest.hide');
      }
    }),
  );
  if (workspace.textDocuments.some(isServed)) {
    house.startOnce();
  }
}

class House {
  readonly status: Status;
  readonly previews: Previews;
  private readonly installation: Installation;
  private isStarted = false;
  private program: string | undefined;

  constructor(
    context: ExtensionContext,
    private readonly output: LogOutputChannel,
    private readonly server: Server,
    private readonly suggestions: Suggestions,
  ) {
    this.status = new Status(server, suggestions);
    this.previews = new Previews(context.extensionUri, suggestions, server);
    this.installation = new Installation(context, output);
  }

  commands(): [string, (...args: never[]) => unknown][] {
    return [
      ['suggest', () => commands.executeCommand('editor.action.inlineSuggest.trigger')],
      ...PORTIONS.map((portion): [string, () => unknown] => [
        `accept${portion.replace(/^./, (first) => first.toUpperCase())}`,
        () => accept(portion, this.suggestions),
      ]),
      ['showPreview', () => this.previews.show()],
      ['showCandidates', () => this.previews.showCandidates()],
      ['play', () => this.previews.play('all')],
      ['playFromCursor', () => this.previews.play('cursor')],
      ['playSuggestion', () => this.previews.play('suggestion')],
      ['stop', () => this.previews.stop()],
      ['toggle', toggle],
      ['menu', menu],
      ['restart', () => this.restart()],
      ['install', () => this.install()],
      ['doctor', () => this.doctor()],
      ['showLog', () => this.output.show()],
    ];
  }

  /** Start the server when the first document that it serves is there. */
  startOnce(): void {
    if (!this.isStarted) {
      void this.restart();
    }
  }

  async restart(): Promise<void> {
    this.isStarted = true;
    this.program = await this.installation.program();
    if (this.program === undefined) {
      await this.server.stop();
      return;
    }
    await this.server.start(this.program);
    await this.examine();
  }

  /** Find out which model is in use, for the status bar. */
  async examine(): Promise<void> {
    if (this.program !== undefined) {
      this.status.tellModel(await askDoctor(this.program, workspace.getConfiguration('ghostnote')));
    }
  }

  private async install(): Promise<void> {
    if (await this.installation.install()) {
      await this.restart();
    }
  }

  private async doctor(): Promise<void> {
    if (this.program === undefined) {
      void window.showWarningMessage('No server is installed. Run "Ghostnote: Install the Server".');
      return;
    }
    const args = doctorArgs(workspace.getConfiguration('ghostnote'));
    const { stdout, stderr } = await run(this.program, args, { timeout: 60000 });
    const system = `Extension in ${env.appName}, program ${this.program}\n\n`;
    const document = await workspace.openTextDocument({ content: system + stdout + stderr, language: 'markdown' });
    await window.showTextDocument(document);
  }
}
