/** The status bar item: whether suggestions are on, the model and where it runs, how long the last one took. */

import { Disposable, MarkdownString, StatusBarAlignment, ThemeColor, window, workspace, type StatusBarItem } from 'vscode';

import { isEnabled, isServed } from './languages';
import type { Model } from './server/doctor';
import type { Server } from './server/server';
import type { Suggestions } from './suggestions';

export class Status {
  private readonly item: StatusBarItem;
  private readonly listeners: Disposable[];
  private model: Model | undefined;

  constructor(
    private readonly server: Server,
    private readonly suggestions: Suggestions,
  ) {
    this.item = window.createStatusBarItem('ghostnote.status', StatusBarAlignment.Right, 100);
    this.item.name = 'Ghostnote';
    this.item.command = 'ghostnote.menu';
    this.listeners = [
      window.onDidChangeActiveTextEditor(() => this.show()),
      workspace.onDidOpenTextDocument(() => this.show()),
      workspace.onDidChangeConfiguration((event) => event.affectsConfiguration('ghostnote') && this.show()),
      server.onDidChangeState(() => this.show()),
      suggestions.onDidChange(() => this.show()),
    ];
    this.show();
  }

  /** What `ghostnote doctor` said of the model. */
  tellModel(model: Model | undefined): void {
    this.model = model;
    this.show();
  }

  dispose(): void {
    this.item.dispose();
    Disposable.from(...this.listeners).dispose();
  }

  private show(): void {
    const document = window.activeTextEditor?.document;
    if (!isServed(document)) {
      this.item.hide();
      return;
    }
    const { text, spoken, isWrong } = this.summary(isEnabled(document));
    this.item.text = text;
    this.item.accessibilityInformation = { label: `Ghostnote: ${spoken}`, role: 'button' };
    this.item.backgroundColor = isWrong ? new ThemeColor('statusBarItem.warningBackground') : undefined;
    this.item.tooltip = this.tooltip(spoken);
    this.item.show();
  }

  private summary(isOn: boolean): { text: string; spoken: string; isWrong: boolean } {
    const { state } = this.server;
    const latency = this.suggestions.latency;
    switch (state.kind) {
      case 'stopped':
        return { text: '♪ $(circle-slash)', spoken: 'the server does not run', isWrong: true };
      case 'starting':
        return { text: '♪ $(loading~spin)', spoken: 'starting', isWrong: false };
      case 'waiting':
        return { text: '♪ $(sync)', spoken: `the server ended, starting it again in ${state.seconds} s: ${state.why}`, isWrong: true };
      case 'failed':
        return { text: '♪ $(error)', spoken: `the server keeps ending: ${state.why}`, isWrong: true };
      case 'running':
        if (!isOn) {
          return { text: '♪ off', spoken: 'suggestions are turned off here', isWrong: false };
        }
        return latency === undefined
          ? { text: '♪', spoken: 'ready', isWrong: false }
          : { text: `♪ ${Math.round(latency)} ms`, spoken: `the last suggestion took ${Math.round(latency)} milliseconds`, isWrong: false };
    }
  }

  private tooltip(spoken: string): MarkdownString {
    const lines = [`**Ghostnote**: ${spoken}`];
    if (this.model !== undefined) {
      lines.push(`Model: ${this.model.name} (${this.model.size}), on ${this.model.provider}`);
      lines.push(...this.model.problems);
    }
    return new MarkdownString(lines.join('\n\n'));
  }
}
