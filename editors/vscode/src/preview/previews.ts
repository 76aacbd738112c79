/** The score previews: one panel a document, drawn anew when its text, its suggestion or its tune changes. */

import { randomBytes } from 'node:crypto';

import {
  Disposable, Range, Uri, ViewColumn, WorkspaceEdit, commands, window, workspace,
  type TextDocument, type TextEditor, type WebviewPanel,
} from 'vscode';

import { isServed, notationOf } from '../languages';
import { tuneAt, withGhost, withGhostAt, type Ghosted } from '../music/tunes';
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
  private last: TextEditor | undefined;

  constructor(
    private readonly extension: Uri,
    private readonly suggestions: Suggestions,
    private readonly server: Server,
  ) {
    this.remember(window.activeTextEditor);
    this.listeners = [
      window.onDidChangeActiveTextEditor((editor) => this.remember(editor)),
      workspace.onDidOpenTextDocument((document) => this.of(document)?.follow(document)),
      workspace.onDidChangeTextDocument(({ document }) => this.of(document)?.soon()),
      window.onDidChangeTextEditorSelection(({ textEditor }) => this.of(textEditor.document)?.cursorMoved(textEditor)),
      suggestions.onDidChange(({ uri }) => this.panels.get(uri)?.soon()),
    ];
  }

  /** Open the preview of the document in hand to the side, or reveal it. */
  show(): Preview | undefined {
    const editor = this.inHand();
    if (editor === undefined) {
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
    const editor = this.inHand();
    const client = this.server.running;
    if (editor === undefined || client === undefined) {
      return;
    }
    const found = await askCandidates(client, editor.document, editor.selection.active);
    if (found.length === 0) {
      void window.showInformationMessage('There is nothing to suggest at the cursor.');
      return;
    }
    this.show()?.drawCandidates(found);
  }

  /** Play what the preview in front draws, or else the active document. */
  play(what: 'all' | 'cursor' | 'suggestion'): void {
    const inFront = [...this.panels.values()].find((preview) => preview.isActive);
    (inFront ?? this.show())?.play(what);
  }

  stop(): void {
    this.panels.forEach((preview) => preview.send({ kind: 'stop' }));
  }

  dispose(): void {
    Disposable.from(...this.listeners).dispose();
    this.panels.forEach((preview) => preview.dispose());
  }

  private remember(editor: TextEditor | undefined): void {
    if (isServed(editor?.document)) {
      this.last = editor;
    }
  }

  /** The editor of a score that is in front, or was last: commands also come from pages that are no text. */
  private inHand(): TextEditor | undefined {
    this.remember(window.activeTextEditor);
    if (this.last === undefined || this.last.document.isClosed) {
      void window.showInformationMessage('Open an ABC or MusicXML file first.');
      return undefined;
    }
    return this.last;
  }

  private of(document: TextDocument): Preview | undefined {
    return this.panels.get(document.uri.toString());
  }
}

class Preview {
  private readonly panel: WebviewPanel;
  private document: TextDocument;
  private readonly unsent: ToPreview[] = [];
  private cursor: number;
  private candidates: readonly Candidate[] = [];
  private drawn: Ghosted | undefined;
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
      sounds: resource('dist', 'sounds'),
      source: webview.cspSource,
      nonce: randomBytes(16).toString('hex'),
    });
  }

  get isActive(): boolean {
    return this.panel.active;
  }

  onClose(act: () => void): void {
    this.panel.onDidDispose(() => {
      clearTimeout(this.timer);
      act();
    });
  }

  reveal(preserveFocus = true): void {
    this.panel.reveal(undefined, preserveFocus);
  }

  dispose(): void {
    this.panel.dispose();
  }

  /** A document that is opened again is another object. */
  follow(document: TextDocument): void {
    this.document = document;
    this.soon();
  }

  soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), PAUSE);
  }

  cursorMoved(editor: TextEditor): void {
    const text = this.document.getText();
    const before = tuneAt(text, this.cursor);
    this.cursor = this.document.offsetAt(editor.selection.active);
    this.send({ kind: 'cursor', offset: this.toDrawn(this.cursor) });
    const isGhostDrawn = this.drawn !== undefined && this.drawn.start < this.drawn.end;
    if (isGhostDrawn || (notationOf(this.document) === 'abc' && tuneAt(text, this.cursor) !== before)) {
      this.soon();
    }
  }

  drawCandidates(candidates: readonly Candidate[]): void {
    this.candidates = candidates;
    const text = this.document.getText();
    const [{ start, end }] = candidates;
    const texts = candidates.map((one) => one.text);
    const [before, after] = [text.slice(0, start), text.slice(end)];
    this.reveal(false);
    this.send({ kind: 'candidates', before, after, candidates: texts, tune: tuneAt(text, start) });
  }

  play(what: 'all' | 'cursor' | 'suggestion'): void {
    this.send({ kind: 'play', what });
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
    this.drawn = this.ghosted();
    const { text, start, end } = this.drawn;
    const cursor = this.toDrawn(this.cursor);
    this.send({ kind: 'draw', text, ghost: { start, end }, tune: tuneAt(text, cursor) });
    this.send({ kind: 'cursor', offset: cursor });
  }

  /** Where an offset of the document is in the text that is drawn. */
  private toDrawn(offset: number): number {
    return this.drawn === undefined ? offset : withGhostAt(this.drawn, offset);
  }

  /** The text with the suggestion that stands in it. */
  private ghosted(): Ghosted {
    const found = this.suggestions.standing(this.document, this.document.positionAt(this.cursor));
    const { text, start, end } = found ?? { text: '', start: this.cursor, end: this.cursor };
    return withGhost(this.document.getText(), start, end, text);
  }

  private receive(message: FromPreview): void {
    switch (message.kind) {
      case 'ready':
        this.isReady = true;
        this.draw();
        this.unsent.splice(0).forEach((one) => this.send(one));
        break;
      case 'select':
        void this.selectDrawn(message.start, message.end);
        break;
      case 'insert':
        void this.insert(this.candidates[message.candidate]);
        break;
      case 'failed':
        void window.showErrorMessage(`The preview could not be drawn: ${message.message}`);
        break;
    }
  }

  /** Select what is drawn at offsets of the text with the suggestion; the suggestion itself is not there to be selected. */
  private async selectDrawn(start: number, end: number): Promise<void> {
    if (this.drawn === undefined || start < this.drawn.start) {
      await this.select(start, end);
    } else if (start >= this.drawn.end) {
      await this.select(start - this.drawn.shift, end - this.drawn.shift);
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
