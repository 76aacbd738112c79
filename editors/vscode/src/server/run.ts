/** Runs a program to its end and gives what it said. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Outcome {
  /** The exit code; -1 if the program could not be started or was ended by a signal. */
  readonly code: number;
  readonly stdout: string;
  /** Standard error, or why the program could not be started. */
  readonly stderr: string;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  readonly timeout?: number;
  /** Told each line as it comes, of both streams. */
  readonly onLine?: (line: string) => void;
}

/** Never rejects: a program that cannot be started is an outcome with code -1. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    let stdout = '';
    let stderr = '';
    const child = spawn(program, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      signal: options.signal,
      timeout: options.timeout,
    });
    const { onLine } = options;
    if (onLine !== undefined) {
      for (const input of [child.stdout, child.stderr]) {
        createInterface({ input }).on('line', (line) => line.trim() !== '' && onLine(line));
      }
    }
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.on('error', (error) => resolve({ code: -1, stdout, stderr: stderr || error.message }));
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}
