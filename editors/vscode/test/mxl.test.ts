import { strToU8, unzipSync, zipSync, type Zippable } from 'fflate';
import { describe, expect, it } from 'vitest';

import { readMxl, replaceScore } from '../src/mxl/archive';

const CONTAINER = '<container><rootfiles><rootfile full-path="sub/a.xml"/><rootfile full-path="p.pdf"/></rootfiles></container>';

function archive(files: Record<string, string>): Uint8Array {
  const zippable: Zippable = {};
  for (const [path, text] of Object.entries(files)) {
    zippable[path] = strToU8(text);
  }
  return zipSync(zippable);
}

describe('compressed MusicXML', () => {
  it.each([
    ['named by the container', { 'META-INF/container.xml': CONTAINER, 'sub/a.xml': '<a>é</a>', 'b.xml': '<b/>' }, '<a>é</a>'],
    ['the only score', { 'b.musicxml': '<b/>' }, '<b/>'],
    ['a container that names nothing', { 'META-INF/container.xml': '<container/>', 'b.xml': '<b/>' }, '<b/>'],
  ])('%s', (_, files, expected) => {
    expect(readMxl(archive(files))).toBe(expected);
  });

  it('keeps everything else when saved back', () => {
    const saved = replaceScore(archive({ mimetype: 'm', 'META-INF/container.xml': CONTAINER, 'sub/a.xml': '<a/>', 'p.png': 'x' }), '<new/>');
    expect(readMxl(saved)).toBe('<new/>');
    expect(Object.keys(unzipSync(saved)).sort()).toEqual(['META-INF/container.xml', 'mimetype', 'p.png', 'sub/a.xml']);
  });

  it('says in the prolog that what it writes is UTF-8', () => {
    const saved = replaceScore(archive({ 'b.xml': '<b/>' }), '<?xml version="1.0" encoding="UTF-16"?><b/>');
    expect(readMxl(saved)).toBe('<?xml version="1.0" encoding="UTF-8"?><b/>');
  });

  it.each([
    ['no archive', strToU8('PK? no'), /not compressed MusicXML/],
    ['two scores', archive({ 'a.xml': '', 'b.xml': '' }), /holds 2/],
  ])('%s is an error that says why', (_, bytes, message) => {
    expect(() => readMxl(bytes)).toThrow(message);
  });
});
