/** Finding the server on this machine and, with the user's yes, installing it: the part that asks and shows. */

import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';

import { ProgressLocation, Uri, commands, extensions, window, workspace, type ExtensionContext, type LogOutputChannel } from 'vscode';

import { Environment } from './environment';
import { locate, type Found } from './locate';

const DECLINED = 'ghostnote.installDeclined';

export class Installation {
  readonly environment: Environment;
  private installing: Promise<boolean> | undefined;

  constructor(
    private readonly context: ExtensionContext,
    private readonly output: LogOutputChannel,
  ) {
    this.environment = new Environment(context.globalStorageUri.fsPath, context.asAbsolutePath('server'));
  }

  /** The program to start; undefined if there is none and the user wants none. */
  async program(): Promise<string | undefined> {
    const found = await this.find();
    switch (found.from) {
      case 'wrong setting':
        void this.tellWrongSetting(found.program);
        return undefined;
      case 'nowhere':
        return (await this.renew()) ? this.environment.program() : undefined;
      case 'own':
        if ((await this.environment.state()) !== 'fresh' && !(await this.install())) {
          return undefined;
        }
        break;
    }
    this.output.info(`server: ${found.program} (${found.from})`);
    return found.program;
  }

  /** Make the extension's own environment, showing how it goes. Gives whether it was made. */
  install(): Promise<boolean> {
    this.installing ??= this.make().finally(() => (this.installing = undefined));
    return this.installing;
  }

  private async find(): Promise<Found> {
    return locate({
      setting: workspace.getConfiguration('ghostnote').get('path', '').trim(),
      interpreter: await chosenInterpreter(),
      searchPath: process.env.PATH ?? '',
      own: await this.environment.program().catch(() => ''),
      home: homedir(),
      platform: process.platform,
      isProgram,
    });
  }

  /** The yes to the server of an earlier version of the extension still counts. */
  private async renew(): Promise<boolean> {
    return (await this.environment.state()) === 'stale' ? this.install() : this.offer();
  }

  private async offer(): Promise<boolean> {
    if (this.context.globalState.get(DECLINED, false)) {
      this.output.warn('no server was found; run "Ghostnote: Install the Server"');
      return false;
    }
    const choice = await window.showInformationMessage(
      'Ghostnote needs its server, which runs on your own machine. Install it now, for this extension only?',
      'Install',
      'Choose a Program…',
      'Never',
    );
    if (choice === 'Never') {
      await this.context.globalState.update(DECLINED, true);
    } else if (choice === 'Choose a Program…') {
      await chooseProgram();
    }
    return choice === 'Install' && this.install();
  }

  private async make(): Promise<boolean> {
    await this.context.globalState.update(DECLINED, undefined);
    const chosen = await chosenInterpreter();
    try {
      await window.withProgress(
        { location: ProgressLocation.Notification, title: 'Ghostnote', cancellable: true },
        async (progress, token) => {
          const abort = new AbortController();
          token.onCancellationRequested(() => abort.abort());
          await this.environment.make(chosen, {
            report: (message) => progress.report({ message }),
            log: (line) => this.output.info(line),
            signal: abort.signal,
          });
        },
      );
      return true;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.output.error(message);
      void this.tellFailed(message);
      return false;
    }
  }

  private async tellFailed(message: string): Promise<void> {
    const choice = await window.showErrorMessage(`Ghostnote could not be installed. ${message}`, 'Try Again', 'Show the Log');
    if (choice !== undefined) {
      await commands.executeCommand(choice === 'Try Again' ? 'ghostnote.install' : 'ghostnote.showLog');
    }
  }

  private async tellWrongSetting(program: string): Promise<void> {
    const message = `The setting ghostnote.path is '${program}', which is not a program. Correct it, or empty it to let Ghostnote look for itself.`;
    if ((await window.showErrorMessage(message, 'Open the Settings')) !== undefined) {
      await commands.executeCommand('workbench.action.openSettings', 'ghostnote.path');
    }
  }
}

async function chooseProgram(): Promise<void> {
  const chosen = await window.showOpenDialog({ title: 'The program ghostnote', canSelectMany: false });
  if (chosen?.[0] !== undefined) {
    await workspace.getConfiguration('ghostnote').update('path', chosen[0].fsPath, true);
  }
}

/** The interpreter chosen in the Python extension, if that is there and already active. */
async function chosenInterpreter(): Promise<string | undefined> {
  interface PythonApi {
    readonly environments?: { getActiveEnvironmentPath(resource?: Uri): { readonly path: string } };
  }
  const python = extensions.getExtension<PythonApi>('ms-python.python');
  const path = python?.isActive ? python.exports.environments?.getActiveEnvironmentPath().path : undefined;
  const settings = workspace.getConfiguration('python');
  // A workspace that is not trusted must not say which program runs; the Python extension sees to that only where it is.
  const configured = workspace.isTrusted
    ? settings.get<string>('defaultInterpreterPath')
    : settings.inspect<string>('defaultInterpreterPath')?.globalValue;
  return [path, configured].find((one): one is string => one !== undefined && isProgram(one));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
