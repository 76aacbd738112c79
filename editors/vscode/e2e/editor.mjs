// VS Code as a user has it: code-server with the packed extension, driven in Chromium.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { chromium } from 'playwright-core';

import { CHROMIUM, EXTENSION, GHOSTNOTE, NODE, REPOSITORY, SERVER } from './places.mjs';
import { watchContacts } from './processes.mjs';
import { listenIn } from './sound.mjs';

const QUIET = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'window.commandCenter': false,
  'chat.commandCenter.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'security.workspace.trust.enabled': false,
  'files.autoSave': 'afterDelay',
  'files.autoSaveDelay': 100,
  'editor.minimap.enabled': false,
  'editor.fontSize': 15,
  'extensions.ignoreRecommendations': true,
  'telemetry.telemetryLevel': 'off',
  'files.exclude': { '**/.vscode': true },
};
// Generous, for machines that have much else to do, in milliseconds.
const PATIENCE = 60000;
const SIZE = { width: 1200, height: 640 };

/**
 * Start VS Code with packed extensions. `settings` are the machine's; `path` is the PATH that the extensions see; `query`
 * goes to the page's address.
 */
export async function openEditor({ extensions, settings, path = process.env.PATH, query = '', pictures }) {
  const home = mkdtempSync(join(tmpdir(), 'ghostnote-e2e-'));
  const workspace = join(home, 'music');
  const data = join(home, 'data');
  mkdirSync(workspace);
  // What says where programs are counts for one machine: VS Code reads it from the settings of the machine alone.
  for (const [owner, values] of [['User', QUIET], ['Machine', settings]]) {
    mkdirSync(join(data, owner), { recursive: true });
    writeFileSync(join(data, owner, 'settings.json'), JSON.stringify(values, null, 2));
  }
  const folders = ['--user-data-dir', data, '--extensions-dir', join(home, 'extensions')];
  // VSCODE_CLI: the PATH is as it is given here, not as a login shell would make it.
  const env = { ...process.env, HOME: home, PATH: path, VSCODE_CLI: '1' };
  execFileSync(NODE, [SERVER, ...folders, ...extensions.flatMap((one) => ['--install-extension', one])], { stdio: 'pipe', env });
  const port = await freePort();
  const rest = ['--auth', 'none', '--bind-addr', `127.0.0.1:${port}`, '--disable-telemetry', '--disable-update-check'];
  const server = spawn(NODE, [SERVER, ...folders, ...rest, '--disable-workspace-trust', workspace], { stdio: 'ignore', env, detached: true });
  const watch = watchContacts(home);
  let browser;
  const close = async () => {
    clearInterval(watch.timer);
    await browser?.close();
    process.kill(-server.pid);
    rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
  };
  try {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--autoplay-policy=no-user-gesture-required'],
    });
    const page = await browser.newPage({ viewport: SIZE });
    page.setDefaultTimeout(PATIENCE);
    await page.addInitScript(listenIn);
    const origin = `http://127.0.0.1:${port}`;
    const requests = [];
    page.context().on('request', (request) => requests.push(request));
    await whenUp(`${origin}/healthz`);
    await page.goto(`${origin}/?folder=${workspace}${query}`);
    await page.locator('.monaco-workbench').waitFor({ timeout: 2 * PATIENCE });
    return new Editor({ page, home, workspace, data, close, pictures, origin, requests, contacts: watch.contacts });
  } catch (error) {
    await close();
    throw error;
  }
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function whenUp(url) {
  for (const end = Date.now() + 2 * PATIENCE; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 500))) {
    if (await fetch(url).then((answer) => answer.ok, () => false)) {
      return;
    }
  }
  throw new Error(`code-server did not answer at ${url} within ${(2 * PATIENCE) / 1000} s`);
}

/** The hands and eyes of a user, and the disk. */
class Editor {
  constructor(parts) {
    Object.assign(this, parts);
    this.ghost = this.page.locator('.ghost-text-decoration, .ghost-text').first();
    this.status = this.page.locator('[id*="ghostnote.status"]').first();
    this.written = new Map();
  }

  path(name) {
    return join(this.workspace, name);
  }

  text(name) {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), 'utf8') : '';
  }

  /** The workspace's settings: the editor sees at once when they change on disk. */
  set(settings) {
    mkdirSync(this.path('.vscode'), { recursive: true });
    writeFileSync(this.path('.vscode/settings.json'), JSON.stringify(settings));
  }

  /** Look until there is something to see, and give it. */
  async until(what, look, timeout = PATIENCE) {
    for (const end = Date.now() + timeout; Date.now() < end; await this.page.waitForTimeout(100)) {
      const seen = await look();
      if (seen) {
        return seen;
      }
    }
    throw new Error(`waited ${timeout / 1000} s in vain until ${what}`);
  }

  press(key) {
    return this.page.keyboard.press(key);
  }

  type(text) {
    return this.page.keyboard.type(text, { delay: 60 });
  }

  async command(title) {
    const input = this.page.locator('.quick-input-widget:visible input[type="text"]').first();
    const entry = this.page.locator('.quick-input-list .monaco-list-row').first();
    await this.until(`the command palette finds ${title}`, async () => {
      if (!(await input.isVisible())) {
        await this.press('F1');
        await input.waitFor({ timeout: 5000 }).catch(() => undefined);
      }
      await input.fill(`>${title}`).catch(() => undefined);
      await this.page.waitForTimeout(300);
      return (await entry.textContent({ timeout: 2000 }).catch(() => ''))?.includes(title);
    });
    await this.press('Enter');
    await this.until('the command palette closes', async () => !(await this.page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first().isVisible()));
  }

  /** Choose an entry of the menu that a command shows; what steals the focus meanwhile closes the menu, so it is asked for again. */
  async choose(title, text) {
    const entry = this.page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first();
    await this.until(`${text} is chosen`, async () => {
      await this.press('Escape');
      await this.command(title);
      return entry.click({ timeout: 5000 }).then(() => true, () => false);
    });
    await entry.waitFor({ state: 'hidden' });
  }

  /** Make a file and open it, with the cursor at its end and the list of files out of the way. */
  async open(name, content) {
    writeFileSync(this.path(name), content);
    const row = this.page.locator(`.explorer-folders-view .monaco-list-row[aria-label^="${name}"]`);
    await this.until(`${name} is open`, async () => {
      if (!(await row.isVisible())) {
        await this.press('Escape');
        await this.command('File: Focus on Files Explorer');
        await this.command('Refresh Explorer');
      }
      await row.dblclick({ timeout: 5000 }).catch(() => undefined);
      return this.page.locator(`.tab.active[data-resource-name^="${name}"]`).waitFor({ timeout: 8000 }).then(() => true, () => false);
    });
    await this.page.locator('.editor-group-container.active .monaco-editor .view-lines').first().waitFor();
    await this.press('Control+b');
    await row.waitFor({ state: 'hidden' });
    await this.press('Control+End');
  }

  /** What the status bar item says to those who hear it. */
  async said() {
    return (await this.status.locator('[aria-label]').first().getAttribute('aria-label', { timeout: 2000 }).catch(() => '')) ?? '';
  }

  ready() {
    return this.until('the server is ready', async () => /Ghostnote: (ready|the last suggestion)/.test(await this.said()), 2 * PATIENCE);
  }

  /** Open a new file and type its end, until ghost text appears. */
  async write(name, before, typed) {
    await this.open(name, before);
    await this.ready();
    await this.type(typed);
    // On a busy machine an automatic request may run out of time: then, as a user would, go on typing.
    await this.until('ghost text appears', async () => {
      if (await this.ghost.waitFor({ timeout: 6000 }).then(() => true, () => false)) {
        return true;
      }
      await this.press('Backspace');
      await this.type(typed.slice(-1));
      return false;
    });
    this.written.set(name, before + typed);
  }

  /** The whole ghost text, which the editor may draw in several pieces, without its spaces. */
  async ghostText() {
    const pieces = await this.page.locator('.ghost-text-decoration, .ghost-text').allTextContents();
    return pieces.join('').replace(/[\s\u00b7\u00a0]/g, '');
  }

  /** Ask the judges whether what was added to a file is valid; `reference` is the file without it. */
  judge(name, reference = this.written.get(name)) {
    const other = this.path(`reference-${name}`);
    writeFileSync(other, reference);
    try {
      execFileSync(join(dirname(GHOSTNOTE), 'python'), [join(EXTENSION, 'e2e', 'judge.py'), this.path(name), other], { cwd: REPOSITORY, stdio: 'pipe' });
    } catch (error) {
      throw new Error(`not valid to the judges: ${error.stdout}${error.stderr}\n${this.text(name)}`, { cause: error });
    } finally {
      rmSync(other);
    }
  }

  /** What the extension wrote in its log. */
  log() {
    const logs = readdirSync(join(this.data, 'logs'), { recursive: true }).filter((name) => name.endsWith('Ghostnote.log'));
    return logs.map((name) => readFileSync(join(this.data, 'logs', name), 'utf8')).join('\n');
  }

  /** The frame of a webview that has an element. */
  frameWith(selector) {
    return this.until(`a webview shows ${selector}`, async () => {
      for (const frame of this.page.frames()) {
        if (await frame.locator(selector).first().isVisible().catch(() => false)) {
          return frame;
        }
      }
      return undefined;
    });
  }

  notification(text) {
    return this.page.locator('.notification-toast', { hasText: text }).first();
  }

  async picture(name, clip = { x: 0, y: 0, ...SIZE }) {
    await this.page.screenshot({ path: join(this.pictures, `${name}.png`), clip });
  }

  /** Nothing open, no files, the settings of the beginning. */
  async tidy() {
    await this.press('Escape');
    await this.page.locator('.quick-input-widget:visible').waitFor({ state: 'hidden', timeout: 3000 }).catch(() => undefined);
    await this.command('View: Close All Editors');
    await this.until('all editors are closed', async () => (await this.page.locator('.tab').count()) === 0, 10000).catch(() => undefined);
    await this.command('Notifications: Clear All Notifications');
    for (const name of readdirSync(this.workspace).filter((one) => one !== '.vscode')) {
      rmSync(this.path(name));
    }
    this.set({});
  }
}
