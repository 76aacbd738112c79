/**
 * Compressed MusicXML (.mxl): the score inside the archive, and the archive with another score.
 *
 * Pure. Source: MusicXML 4.0, "Compressed .MXL files": META-INF/container.xml names the root file.
 */

import { strFromU8, strToU8, unzipSync, zipSync, type Zippable } from 'fflate';

const CONTAINER = 'META-INF/container.xml';

/** The score's text. @throws Error with a message for the user if the archive holds none. */
export function readMxl(archive: Uint8Array): string {
  const files = open(archive);
  return decode(files[rootPath(files)]);
}

/** The same archive with another score; everything else in it stays. @throws Error as `readMxl` does. */
export function replaceScore(archive: Uint8Array, score: string): Uint8Array {
  const files = open(archive);
  const root = rootPath(files);
  const zippable: Zippable = {};
  for (const [path, bytes] of Object.entries(files)) {
    zippable[path] = path === 'mimetype' ? [bytes, { level: 0 }] : bytes;
  }
  zippable[root] = strToU8(score.replace(/^(<\?xml[^>]*encoding=)(["'])[^"']*\2/, '$1$2UTF-8$2'));
  return zipSync(zippable);
}

function open(archive: Uint8Array): Record<string, Uint8Array> {
  try {
    return unzipSync(archive);
  } catch (error) {
    throw new Error(`This is not compressed MusicXML: ${error instanceof Error ? error.message : String(error)}.`, { cause: error });
  }
}

/** The path of the score: named by the container, else the one file that can be a score. */
function rootPath(files: Record<string, Uint8Array>): string {
  const container = files[CONTAINER];
  const named = container && /<rootfile[^>]*\bfull-path\s*=\s*(["'])(.*?)\1/.exec(strFromU8(container))?.[2];
  if (named && files[named]) {
    return named;
  }
  const likely = Object.keys(files).filter((path) => /\.(musicxml|xml)$/i.test(path) && !path.startsWith('META-INF/'));
  if (likely.length === 1) {
    return likely[0];
  }
  throw new Error(`The archive should name one score in ${CONTAINER}; it names ${named ?? 'none'} and holds ${likely.length}.`);
}

function decode(bytes: Uint8Array): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}
