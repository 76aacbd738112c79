/**
 * `.mxl` files as the MusicXML text inside them, saved back as .mxl.
 *
 * A file system of scheme `ghostnote-mxl` shows the score of an archive as a text file; a custom editor sends those who
 * open the archive there.
 */

import {
  EventEmitter, FileSystemError, FileType, Uri, window, workspace,
  type CustomReadonlyEditorProvider, type Disposable, type FileChangeEvent, type FileStat, type FileSystemProvider, type WebviewPanel,
} from 'vscode';

import { readMxl, replaceScore } from './archive';

const SCHEME = 'ghostnote-mxl';
const SUFFIX = '.musicxml';

/** The score's text file of an archive. */
function scoreUri(archive: Uri): Uri {
  return Uri.from({ scheme: SCHEME, path: archive.path + SUFFIX, query: archive.with({ path: '' }).toString(true) });
}

function archiveUri(score: Uri): Uri {
  const base = Uri.parse(score.query || 'file:');
  return base.with({ path: score.path.slice(0, -SUFFIX.length) });
}

class MxlFileSystem implements FileSystemProvider {
  private readonly changed = new EventEmitter<FileChangeEvent[]>();
  readonly onDidChangeFile = this.changed.event;

  watch(): Disposable {
    return { dispose: () => undefined };
  }

  async stat(uri: Uri): Promise<FileStat> {
    const archive = await workspace.fs.stat(archiveUri(uri));
    return { ...archive, type: FileType.File, size: (await this.readFile(uri)).length };
  }

  async readFile(uri: Uri): Promise<Uint8Array> {
    return new TextEncoder().encode(readMxl(await workspace.fs.readFile(archiveUri(uri))));
  }

  async writeFile(uri: Uri, content: Uint8Array): Promise<void> {
    const archive = archiveUri(uri);
    const old = await workspace.fs.readFile(archive);
    await workspace.fs.writeFile(archive, replaceScore(old, new TextDecoder().decode(content)));
  }

  readDirectory(): [string, FileType][] {
    return [];
  }

  createDirectory(uri: Uri): void {
    throw FileSystemError.NoPermissions(uri);
  }

  delete(uri: Uri): void {
    throw FileSystemError.NoPermissions(uri);
  }

  rename(uri: Uri): void {
    throw FileSystemError.NoPermissions(uri);
  }
}

class MxlEditor implements CustomReadonlyEditorProvider {
  openCustomDocument(uri: Uri): { uri: Uri; dispose: () => void } {
    return { uri, dispose: () => undefined };
  }

  async resolveCustomEditor({ uri }: { uri: Uri }, panel: WebviewPanel): Promise<void> {
    try {
      const document = await workspace.openTextDocument(scoreUri(uri));
      const column = panel.viewColumn;
      panel.dispose();
      await window.showTextDocument(document, { viewColumn: column, preview: false });
    } catch (error) {
      panel.webview.html = '<!DOCTYPE html><html lang="en"><body><p>This file cannot be read as compressed MusicXML.</p></body></html>';
      void window.showErrorMessage(`Cannot open ${uri.path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

export function registerMxl(): Disposable[] {
  return [
    workspace.registerFileSystemProvider(SCHEME, new MxlFileSystem(), { isCaseSensitive: true }),
    window.registerCustomEditorProvider('ghostnote.mxl', new MxlEditor()),
  ];
}
