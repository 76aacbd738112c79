/** What the bundles could contact: `npm test` builds them first. */
import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

const bundle = (name: string): string => readFileSync(new URL(`../dist/${name}`, import.meta.url), 'utf8');
const WEBVIEWS = ['webview/abc.js', 'webview/musicxml.js'];

/** Addresses in the libraries that draw. None is asked: the names of XML, links in messages, sounds that are never loaded. */
const NAMED = [
  /^http:\/\/www\.w3\.org\//,
  /^https:\/\/github\.com\/0xfe\/vexflow\/issues\/\d+$/,
  /^https:\/\/stuk\.github\.io\/jszip\/documentation\//,
  /^https:\/\/paulrosen\.github\.io\/midi-js-soundfonts\//,
];

describe('the bundles', () => {
  it('have an extension that knows no address and no way to the network', () => {
    const text = bundle('extension.cjs');
    const modules = new Set([...text.matchAll(/require\("(?:node:)?([\w/]+)"\)/g)].map(([, name]) => name));
    expect(modules).toContain('child_process');
    expect(['http', 'https', 'http2', 'tls', 'dgram', 'dns', 'undici'].filter((name) => modules.has(name))).toEqual([]);
    expect(text.match(/(https?|wss?):\/\/\w[^"'`\s]*|\bfetch\(|XMLHttpRequest|WebSocket|createTelemetryLogger/g) ?? []).toEqual([]);
  });

  it.each(WEBVIEWS)('%s names only addresses that are known, and fetches only its own sounds', (name) => {
    const text = bundle(name);
    const addresses = text.match(/(https?|wss?):\/\/[^"'`\s)]+/g) ?? [];
    expect(addresses.length).toBeGreaterThan(0);
    expect(addresses.filter((address) => !NAMED.some((known) => known.test(address)))).toEqual([]);
    expect([...text.matchAll(/\bfetch\(([^?,)]*)/g)].map(([, from]) => from)).toEqual(['`${document.body.dataset.sounds']);
    expect(text).not.toMatch(/sendBeacon|new WebSocket|new EventSource/);
  });
});
