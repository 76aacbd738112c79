/** The score previews: one panel a document, drawn anew when its text, its suggestion or its tune changes. */

import { randomBytes } from 'node:crypto';

import {
  Range, Uri, ViewColumn, WorkspaceEdit, commands, window, workspace,
  type Disposable, type TextDocument, type TextEditor, type WebviewPanel,
} from 'vscode';

import { isServed, notationOf } from '../languages';
import { inGrey, tuneAt, withGhost } from '../music/tunes';
import type { Server } from '../server/server';
import type { Suggestions } from '../suggestions';
import { askCandidates, type Candidate } from './candidates';
import { page } from './html';
import type { FromPreview, ToPreview } from './messages';

/** How long after a change the preview waits for the next one, in milliseconds. */
const PAUSE = 120;

export class Previews {
  private readonly panels = new Map<string, Preview>();
  private readonly listeners: Disposable[];

  constructor(
    private readonly extension: Uri,
    private readonly suggestions: Suggestions,
    private readonly server: Server,
  ) {
    this.listeners = [
      workspace.onDidChangeTextDocument(({ document }) => this.of(document)?.soon()),
      window.onDidChangeTextEditorSelection(({ textEditor }) => this.of(textEditor.document)?.cursorMoved(textEditor)),
      suggestions.onDidChange(({ uri }) => this.panels.get(uri)?.soon()),
    ];
  }

  /** Open the preview of the active document to the side, or reveal it. */
  show(): Preview | undefined {
    const editor = window.activeTextEditor;
    if (editor === undefined || !isServed(editor.document)) {
      return undefined;
    }
    const key = editor.document.uri.toString();
    const known = this.panels.get(key);
    if (known !== undefined) {
      known.reveal();
      return known;
    }
    const preview = new Preview(this.extension, editor, this.suggestions);
    this.panels.set(key, preview);
    preview.onClose(() => this.panels.delete(key));
    return preview;
  }

  /** Ask for several suggestions and draw each below the score. */
  async showCandidates(): Promise<void> {
    const editor = window.activeTextEditor;
    const client = this.server.running;
    if (editor === undefined || client === undefined || !isServed(editor.document)) {
      return;
    }
    const found = await askCandidates(client, editor.document, editor.selection.active);
    if (found.length === 0) {
      void window.showInformationMessage('There is nothing to suggest at the cursor.');
      return;
    }
    this.show()?.drawCandidates(found);
  }

  play(what: 'all' | 'cursor' | 'suggestion'): void {
    this.show()?.play(what);
  }

  stop(): void {
    this.panels.forEach((preview) => preview.send({ kind: 'stop' }));
  }

  dispose(): void {
    this.listeners.forEach((one) => one.dispose());
    this.panels.forEach((preview) => preview.dispose());
  }

  private of(document: TextDocument): Preview | undefined {
    return this.panels.get(document.uri.toString());
  }
}

class Preview {
  private readonly panel: WebviewPanel;
  private readonly document: TextDocument;
  private readonly unsent: ToPreview[] = [];
  private cursor: number;
  private candidates: readonly Candidate[] = [];
  private isReady = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    extension: Uri,
    editor: TextEditor,
    private readonly suggestions: Suggestions,
  ) {
    this.document = editor.document;
    this.cursor = this.document.offsetAt(editor.selection.active);
    const name = this.document.uri.path.split('/').at(-1) ?? '';
    const roots = ['dist', 'media'].map((folder) => Uri.joinPath(extension, folder));
    this.panel = window.createWebviewPanel(
      'ghostnote.preview',
      `Score: ${name}`,
      { viewColumn: ViewColumn.Beside, preserveFocus: true },
      { enableScripts: true, localResourceRoots: roots, retainContextWhenHidden: true },
    );
    const { webview } = this.panel;
    const resource = (...path: string[]): string => webview.asWebviewUri(Uri.joinPath(extension, ...path)).toString();
    webview.onDidReceiveMessage((message: FromPreview) => this.receive(message));
    webview.html = page({
      title: name,
      script: resource('dist', 'webview', `${notationOf(this.document)}.js`),
      style: resource('media', 'preview.css'),
      source: webview.cspSource,
      nonce: randomBytes(16).toString('hex'),
    });
  }

  onClose(act: () => void): void {
    this.panel.onDidDispose(() => {
      clearTimeout(this.timer);
      act();
    });
  }

  reveal(): void {
    this.panel.reveal(undefined, true);
  }

  dispose(): void {
    this.panel.dispose();
  }

  soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), PAUSE);
  }

  cursorMoved(editor: TextEditor): void {
    const text = this.document.getText();
    const before = tuneAt(text, this.cursor);
    this.cursor = this.document.offsetAt(editor.selection.active);
    this.send({ kind: 'cursor', offset: this.cursor });
    if (notationOf(this.document) === 'abc' && tuneAt(text, this.cursor) !== before) {
      this.soon();
    }
  }

  drawCandidates(candidates: readonly Candidate[]): void {
    this.candidates = candidates;
    const before = this.document.getText().slice(0, candidates[0].start);
    const texts = candidates.map(({ text }) => text);
    this.send({ kind: 'candidates', before, candidates: texts, tune: tuneAt(before, before.length) });
  }

  play(what: 'all' | 'cursor' | 'suggestion'): void {
    const ghost = this.ghost();
    const [from, to] = what === 'suggestion' ? [ghost.start, ghost.end] : [what === 'cursor' ? this.cursor : 0, ghost.text.length];
    this.send({ kind: 'play', from, to });
  }

  /** Messages wait until the page can hear them. */
  send(message: ToPreview): void {
    if (this.isReady) {
      void this.panel.webview.postMessage(message);
    } else {
      this.unsent.push(message);
    }
  }

  private draw(): void {
    const { text, start, end } = this.ghost();
    this.send({ kind: 'draw', text, ghostStart: start, ghostEnd: end, tune: tuneAt(text, this.cursor) });
    this.send({ kind: 'cursor', offset: this.cursor });
  }

  private ghost(): { text: string; start: number; end: number } {
    const text = this.document.getText();
    const found = this.suggestions.standing(this.document, this.document.positionAt(this.cursor));
    if (found === undefined) {
      return { text, start: this.cursor, end: this.cursor };
    }
    const shown = notationOf(this.document) === 'abc' ? found.text : inGrey(found.text);
    return withGhost(text, found.start, found.end, shown);
  }

  private receive(message: FromPreview): void {
    switch (message.kind) {
      case 'ready':
        this.isReady = true;
        this.draw();
        this.unsent.splice(0).forEach((one) => this.send(one));
        break;
      case 'select':
        void this.select(message.start, message.end);
        break;
      case 'insert':
        void this.insert(this.candidates[message.candidate]);
        break;
      case 'failed':
        void window.showErrorMessage(`The preview could not be drawn: ${message.message}`);
        break;
    }
  }

  private async select(start: number, end: number): Promise<void> {
    const range = new Range(this.document.positionAt(start), this.document.positionAt(end));
    const shown = window.visibleTextEditors.find(({ document }) => document === this.document);
    await window.showTextDocument(this.document, { selection: range, viewColumn: shown?.viewColumn ?? ViewColumn.One });
  }

  private async insert(candidate: Candidate | undefined): Promise<void> {
    if (candidate === undefined || candidate.version !== this.document.version) {
      void window.showInformationMessage('The text has changed since; ask for the candidates again.');
      return;
    }
    const edit = new WorkspaceEdit();
    const [start, end] = [this.document.positionAt(candidate.start), this.document.positionAt(candidate.end)];
    edit.replace(this.document.uri, new Range(start, end), candidate.text);
    await workspace.applyEdit(edit);
    const after = candidate.start + candidate.text.length;
    await this.select(after, after);
    await commands.executeCommand('editor.action.inlineSuggest.trigger');
  }
}
