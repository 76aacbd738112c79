/** Two restarts at once, with a language client that only starts and ends the process. */
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { LogOutputChannel } from 'vscode';

import { Server } from '../src/server/server';

const children = vi.hoisted((): ChildProcess[] => []);

vi.mock('vscode', () => ({
  EventEmitter: class {
    fire(): void {}
    dispose(): void {}
  },
  commands: { executeCommand: async () => undefined },
  languages: {},
  workspace: { getConfiguration: () => ({}) },
}));

vi.mock('vscode-languageclient/node', () => ({
  CloseAction: {},
  ErrorAction: {},
  LanguageClient: class {
    constructor(_id: string, _name: string, private readonly open: () => Promise<ChildProcess>) {}

    async start(): Promise<void> {
      await setTimeout(5);
      children.push(await this.open());
    }

    async stop(): Promise<void> {
      await setTimeout(5);
    }

    async dispose(): Promise<void> {}
  },
}));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnote-test-'));
});
afterEach(() => {
  children.splice(0).forEach((child) => child.kill('SIGKILL'));
  rmSync(folder, { recursive: true });
});

const running = (): ChildProcess[] => children.filter(({ killed }) => !killed);

it.each([
  ['at once', 0],
  ['while the first starts', 2],
  ['after the first has started', 30],
])('of two starts, the second %s, one server is left, and none after a stop', async (_, pause) => {
  const program = join(folder, 'server');
  writeFileSync(program, '#!/bin/sh\nexec sleep 60\n');
  chmodSync(program, 0o755);
  const server = new Server({ info: () => undefined, error: () => undefined } as unknown as LogOutputChannel, {});
  const first = server.start(program);
  await setTimeout(pause);
  await Promise.all([first, server.start(program)]);
  expect(running()).toHaveLength(1);
  expect(server.state.kind).toBe('running');
  await server.stop();
  expect(running()).toEqual([]);
});
