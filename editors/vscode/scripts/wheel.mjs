// Builds the server's wheel into server/, from a copy of the sources so that nothing is left behind in the repository.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..', '..');
const out = resolve(import.meta.dirname, '..', 'server');
const python = process.env.PYTHON ?? 'python3';
const parts = ['pyproject.toml', 'README.md', 'LICENSE', 'notation', 'inference', 'lsp_server', 'training', 'export'];

const copy = mkdtempSync(join(tmpdir(), 'ghostnote-wheel-'));
try {
  for (const part of parts) {
    cpSync(join(root, part), join(copy, part), {
      recursive: true,
      filter: (path) => !/(__pycache__|\.egg-info)$/.test(path),
    });
  }
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  execFileSync(python, ['-m', 'pip', 'wheel', '-q', '--no-deps', '-w', out, copy], { stdio: 'inherit' });
} finally {
  rmSync(copy, { recursive: true, force: true });
}
const wheels = readdirSync(out);
if (wheels.length !== 1) {
  throw new Error(`expected one wheel in ${out}, found ${wheels.length}: ${wheels.join(', ')}`);
}
console.log(`packed ${wheels[0]}`);
