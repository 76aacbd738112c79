// VS Code as a user has it: code-server with the packed extension, driven in Chromium.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { CHROMIUM, NODE, SERVER } from './places.mjs';

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
};

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Start VS Code with the extension. `settings` are the user's; `path` is the PATH that the extension sees. */
export async function openEditor({ vsix, settings, path = process.env.PATH }) {
  const home = mkdtempSync(join(tmpdir(), 'ghostnote-e2e-'));
  const workspace = join(home, 'music');
  const data = join(home, 'data');
  mkdirSync(workspace);
  mkdirSync(join(data, 'User'), { recursive: true });
  writeFileSync(join(data, 'User', 'settings.json'), JSON.stringify({ ...QUIET, ...settings }, null, 2));
  const folders = ['--user-data-dir', data, '--extensions-dir', join(home, 'extensions')];
  const env = { ...process.env, HOME: home, PATH: path };
  execFileSync(NODE, [SERVER, ...folders, '--install-extension', vsix], { stdio: 'inherit', env });
  const port = await freePort();
  const rest = ['--auth', 'none', '--bind-addr', `127.0.0.1:${port}`, '--disable-telemetry', '--disable-update-check'];
  const args = [SERVER, ...folders, ...rest, '--disable-workspace-trust', ...(process.env.E2E_LOG ? ['--log', process.env.E2E_LOG] : []), workspace];
  const server = spawn(NODE, args, { stdio: 'ignore', env, detached: true });
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--autoplay-policy=no-user-gesture-required'],
  });
  const page = await browser.newPage({ viewport: { width: 1100, height: 620 } });
  await whenUp(`http://127.0.0.1:${port}/healthz`);
  await page.goto(`http://127.0.0.1:${port}/?folder=${workspace}`);
  await page.locator('.monaco-workbench').waitFor({ timeout: 90000 });
  const close = async () => {
    await browser.close();
    process.kill(-server.pid);
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
  };
  return { page, home, workspace, data, close, ...actions(page) };
}

async function whenUp(url) {
  for (let tries = 0; tries < 120; tries += 1) {
    const isUp = await fetch(url).then((answer) => answer.ok, () => false);
    if (isUp) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`code-server did not answer at ${url} within a minute`);
}

function actions(page) {
  const quickOpen = async (key, text) => {
    const input = page.locator('.quick-input-widget:visible input[type="text"]').first();
    await page.keyboard.press(key);
    await input.waitFor();
    await input.fill(text);
    await page.locator('.quick-input-list .monaco-list-row').first().waitFor();
    await page.waitForTimeout(400);
    await page.keyboard.press('Enter');
  };
  return {
    ghost: page.locator('.ghost-text-decoration, .ghost-text').first(),
    status: page.locator('#ghostnote\\.ghostnote\\.ghostnote\\.status, [id*="ghostnote.status"]').first(),
    async openFile(name) {
      const row = page.locator(`.explorer-folders-view .monaco-list-row[aria-label^="${name}"]`);
      await row.waitFor({ timeout: 20000 });
      await row.dblclick();
    },
    command: (title) => quickOpen('F1', `>${title}`),
    /** The frame of a webview that has an element. */
    async frameWith(selector, timeout = 30000) {
      for (const end = Date.now() + timeout; Date.now() < end; await page.waitForTimeout(300)) {
        for (const frame of page.frames()) {
          if (await frame.locator(selector).count().catch(() => 0)) {
            return frame;
          }
        }
      }
      throw new Error(`no webview shows ${selector}`);
    },
  };
}
