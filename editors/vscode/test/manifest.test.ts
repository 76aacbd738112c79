import { existsSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { PORTIONS } from '../src/music/steps';
import { page } from '../src/preview/html';

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const read = (path: string): string => readFileSync(at(path), 'utf8');

interface Property { readonly default: unknown }
interface Manifest {
  readonly contributes: {
    readonly commands: { readonly command: string }[];
    readonly keybindings: { readonly command: string }[];
    readonly menus: Record<string, { readonly command: string }[]>;
    readonly configuration: { readonly properties: Record<string, Property> }[];
    readonly grammars: { readonly path: string }[];
    readonly snippets: { readonly path: string }[];
    readonly walkthroughs: { readonly steps: { readonly media: { readonly image?: string; readonly markdown?: string } }[] }[];
  };
}

const { contributes } = JSON.parse(read('package.json')) as Manifest;
const properties = Object.assign({}, ...contributes.configuration.map((group) => group.properties)) as Record<string, Property>;

/** The fields of the server's class Settings, in camelCase, with their defaults as JSON. */
function serverSettings(): [string, unknown][] {
  const source = read('../../lsp_server/settings.py');
  const body = /class Settings:[\s\S]*?"""[\s\S]*?"""([\s\S]*?)\n\n\n/.exec(source)?.[1] ?? '';
  return [...body.matchAll(/^ {4}(\w+): \w+ = (.+)$/gm)].map(([, name, value]) => [
    name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    JSON.parse(value.replace('True', 'true').replace('False', 'false')),
  ]);
}

describe('the manifest', () => {
  const settings = serverSettings();

  it('finds the server\'s settings', () => {
    expect(settings.length).toBeGreaterThanOrEqual(9);
  });

  it.each(settings)('has the setting %s with the server\'s default', (name, value) => {
    expect(properties[`ghostnote.${name}`]?.default).toEqual(value);
  });

  it('binds and lists only commands that there are', () => {
    const known = new Set(contributes.commands.map(({ command }) => command));
    const used = [...contributes.keybindings, ...Object.values(contributes.menus).flat()].map(({ command }) => command);
    expect(used.filter((command) => !known.has(command))).toEqual(['editor.action.inlineSuggest.commit']);
  });

  it('has an implementation of every command', () => {
    const source = read('src/extension.ts');
    const portions = PORTIONS.map((portion) => `accept${portion[0].toUpperCase()}${portion.slice(1)}`);
    const names = contributes.commands.map(({ command }) => command.replace('ghostnote.', ''));
    expect(names.filter((name) => !portions.includes(name) && !source.includes(`['${name}',`))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(portions));
  });

  it('names files that are there', () => {
    const media = contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media: { image, markdown } }) => image ?? markdown ?? ''));
    const files = [...contributes.grammars, ...contributes.snippets].map(({ path }) => path).concat(media);
    expect(files.filter((path) => !existsSync(at(path)))).toEqual([]);
  });

  it('has a grammar of valid expressions', () => {
    const patterns = [...read('syntaxes/abc.tmLanguage.json').matchAll(/"(?:match|begin|end)": ("(?:[^"\\]|\\.)*")/g)];
    expect(patterns.length).toBeGreaterThan(15);
    patterns.forEach(([, pattern]) => expect(() => new RegExp(JSON.parse(pattern) as string)).not.toThrow());
  });
});

describe('the page of a preview', () => {
  const html = page({ title: '<b>', script: 's.js', style: 's.css', sounds: 'sounds', source: 'vscode-resource:', nonce: 'n' });

  it('may load nothing from the network', () => {
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/https?:/);
  });

  it('takes the title as text', () => {
    expect(html).toContain('<title>&#60;b&#62;</title>');
  });
});

/** `npm test` builds the bundles first. */
describe('the licences', () => {
  const packages = [...read('dist/LICENSES.txt').matchAll(/^=+ (\S+) \d+\.\d+\.\d+$/gm)].map(([, name]) => name);

  it.each(['vscode-languageclient', 'brace-expansion', 'balanced-match', 'abcjs', 'vexflow', 'jszip', 'pako', 'loglevel'])('have that of %s', (name) => {
    expect(packages).toContain(name);
  });

  it('are those of many packages, with their words', () => {
    expect(packages.length).toBeGreaterThan(20);
    expect(read('dist/LICENSES.txt')).toMatch(/Permission is hereby granted/);
  });
});
