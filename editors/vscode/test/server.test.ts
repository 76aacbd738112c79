import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readDoctor } from '../src/server/doctor';
import { Environment, reason, type Steps } from '../src/server/environment';
import { locate, type Places } from '../src/server/locate';
import { explainNone, interpreters, readAnswer, type Verdict } from '../src/server/python';
import { RestartPolicy } from '../src/server/restart';
import { run } from '../src/server/run';

function places(existing: string[], more: Partial<Places> = {}): Places {
  return {
    setting: '', interpreter: undefined, searchPath: '/usr/bin:/opt/bin', own: '/own/ghostnote', home: '/home/me',
    platform: 'linux', isProgram: (path) => existing.includes(path), ...more,
  };
}

describe('locate', () => {
  const everywhere = ['/set/ghostnote', '/env/bin/ghostnote', '/opt/bin/ghostnote', '/own/ghostnote'];

  it.each<[string, string[], Partial<Places>, object]>([
    ['the setting first', everywhere, { setting: '/set/ghostnote', interpreter: '/env/bin/python' }, { from: 'setting', program: '/set/ghostnote' }],
    ['a wrong setting is not passed over', everywhere, { setting: '/no' }, { from: 'wrong setting', program: '/no' }],
    ['the home folder in the setting', ['/home/me/g'], { setting: '~/g' }, { from: 'setting', program: '/home/me/g' }],
    ['then the interpreter', everywhere, { interpreter: '/env/bin/python' }, { from: 'interpreter', program: '/env/bin/ghostnote' }],
    ['then the PATH', everywhere, {}, { from: 'path', program: '/opt/bin/ghostnote' }],
    ['never a relative folder of the PATH', ['./ghostnote', 'ghostnote'], { searchPath: '.::bin' }, { from: 'nowhere' }],
    ['then its own', ['/own/ghostnote'], {}, { from: 'own', program: '/own/ghostnote' }],
    ['else nowhere', [], {}, { from: 'nowhere' }],
    ['Windows', ['C:\\Py\\ghostnote.exe'], { platform: 'win32', interpreter: 'C:\\Py\\python.exe', searchPath: '' }, { from: 'interpreter', program: 'C:\\Py\\ghostnote.exe' }],
  ])('%s', (_, existing, more, expected) => {
    expect(locate(places(existing, more))).toEqual(expected);
  });
});

describe('Python', () => {
  it.each<[string, Verdict['kind']]>([
    ['3 11 True\n', 'fit'], ['3 14 True\r\n', 'fit'], ['4 0 True', 'fit'],
    ['3 10 True', 'old'], ['2 7 False', 'old'], ['3 12 False', 'bare'], ['', 'absent'], ['Python was not found', 'absent'],
  ])('%j is %s', (answer, kind) => {
    expect(readAnswer(answer).kind).toBe(kind);
  });

  it('tries the chosen one first', () => {
    expect(interpreters('/env/bin/python', 'linux')[0].program).toBe('/env/bin/python');
    expect(interpreters(undefined, 'win32')[0]).toEqual({ program: 'py', args: ['-3'] });
  });

  it.each<[string, [string, Verdict][], RegExp]>([
    ['none', [['python3', { kind: 'absent' }]], /3\.11 or later, and found none/],
    ['old', [['python3', { kind: 'old', version: '3.8' }]], /python3 is 3\.8/],
    ['no venv', [['python3', { kind: 'bare', version: '3.12' }]], /apt install python3\.12-venv/],
  ])('says what to do: %s', (_, verdicts, expected) => {
    expect(explainNone(new Map(verdicts), 'linux')).toMatch(expected);
  });
});

/** Stands for Python, for the one in an environment and for the server; `calls` has a line for each environment made. */
const PYTHON = `#!/bin/sh
case "$1 $2" in
  -c*) echo 3 12 True ;;
  '-m venv') mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo made >>"$3/../calls" && sleep 0.3 ;;
  '-m pip') cp "$0" "$(dirname "$0")/ghostnote" ;;
esac
`;

describe('the extension\'s own environment', () => {
  let folder: string;
  const storage = (): string => join(folder, 'storage');
  const steps = (signal = new AbortController().signal): Steps => ({ report: () => undefined, log: () => undefined, signal });
  const pack = (wheel: string): Environment => {
    writeFileSync(join(folder, 'x-1-py3-none-any.whl'), wheel);
    return new Environment(storage(), folder, 'linux');
  };
  const made = (): number => readFileSync(join(storage(), 'calls'), 'utf8').split('made').length - 1;
  const chosen = (): string => join(folder, 'python3');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ghostnote-test-'));
    writeFileSync(chosen(), PYTHON, { mode: 0o755 });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is absent at first, and says so when no wheel is packed', async () => {
    const environment = new Environment(storage(), join(folder, 'wheels'), 'linux');
    expect(await environment.state()).toBe('absent');
    await expect(environment.make(undefined, steps())).rejects.toThrow(/one wheel in .* but holds 0/);
  });

  it('tells a wheel that cannot be installed from success, and leaves no stamp', async () => {
    const environment = pack('not a wheel');
    await expect(environment.make(undefined, steps())).rejects.toThrow(/Could not install the server/);
    expect(await environment.state()).toBe('absent');
  }, 120000);

  it('is made once for two windows', async () => {
    const [one, other] = [pack('wheel'), pack('wheel')];
    await Promise.all([one.make(chosen(), steps()), other.make(chosen(), steps())]);
    expect(await one.state()).toBe('fresh');
    expect(made()).toBe(1);
  });

  it('is made anew if it does not start', async () => {
    const environment = pack('wheel');
    await environment.make(chosen(), steps());
    rmSync(await environment.program());
    await environment.make(chosen(), steps());
    expect(made()).toBe(2);
  });

  it('of the wheel before stays for who runs it, and no longer', async () => {
    const programs: string[] = [];
    for (const wheel of ['first', 'second', 'third']) {
      const environment = pack(wheel);
      expect(await environment.state()).toBe(wheel === 'first' ? 'absent' : 'stale');
      await environment.make(chosen(), steps());
      programs.push(await environment.program());
    }
    expect(programs.map((program) => existsSync(program))).toEqual([false, true, true]);
  });

  it('is not waited for when the waiting is cancelled, nor when who made it has ended', async () => {
    const environment = pack('wheel');
    mkdirSync(storage());
    const lock = join(storage(), 'server.lock');
    writeFileSync(lock, String(process.pid));
    await expect(environment.make(chosen(), steps(AbortSignal.timeout(50)))).rejects.toThrow('cancelled');
    writeFileSync(lock, String(spawnSync('true').pid));
    await environment.make(chosen(), steps());
    expect(await environment.state()).toBe('fresh');
    expect(existsSync(lock)).toBe(false);
  });

  it.each([
    ['ERROR: Could not find a version\nwarning', 'ERROR: Could not find a version'],
    ['Temporary failure in name resolution\nERROR: x', 'the Python package index cannot be reached'],
    ['OSError: [Errno 28] No space left on device', 'the disk is full'],
    ['', 'it said nothing'],
  ])('the reason in %j', (output, expected) => {
    expect(reason(output)).toContain(expected);
  });
});

describe('starting again', () => {
  it('waits longer each time, then gives up', () => {
    const policy = new RestartPolicy();
    expect([0, 1, 2, 3, 4, 5].map((now) => policy.ended(now))).toEqual([1000, 2000, 4000, 8000, 16000, undefined]);
  });

  it('forgets what was long ago, or before a start by hand', () => {
    const policy = new RestartPolicy();
    [0, 1, 2].forEach((now) => policy.ended(now));
    expect(policy.ended(1e9)).toBe(1000);
    policy.reset();
    expect(policy.ended(1e9 + 1)).toBe(1000);
  });
});

describe('the doctor', () => {
  it('reads the model', () => {
    const answer = JSON.stringify({ bundle: { name: 'reel', parameters: 5099520, precision: 'int8', provider: 'cpu' }, problems: [] });
    expect(readDoctor(answer)).toEqual({ name: 'reel', size: '5.1 million parameters, int8', provider: 'cpu', problems: [] });
  });

  it('reads what is wrong', () => {
    expect(readDoctor('{"bundle": null, "problems": ["no bundle"]}')).toMatchObject({ name: 'none', problems: ['no bundle'] });
  });

  it.each(['', 'Traceback', '{'])('%j is no answer', (text) => {
    expect(readDoctor(text)).toBeUndefined();
  });
});

describe('running a program', () => {
  it('tells whole lines, however they come', async () => {
    const lines: string[] = [];
    const { stdout } = await run('sh', ['-c', 'printf "Coll"; sleep 0.1; printf "ecting\\r\\nx\\n\\nlast"; printf "error\\n" >&2'], {
      onLine: (line) => lines.push(line),
    });
    expect(lines.sort()).toEqual(['Collecting', 'error', 'last', 'x']);
    expect(stdout).toBe('Collecting\r\nx\n\nlast');
  });
});
