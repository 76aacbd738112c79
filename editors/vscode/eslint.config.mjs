// Lint: TypeScript with types; the scripts as they are.
import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'e2e/out/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: ['./tsconfig.json', './webview/tsconfig.json'] } },
    // An async function without an await turns what it throws into a rejection.
    rules: { '@typescript-eslint/require-await': 'off' },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: Object.fromEntries(['process', 'console', 'fetch', 'setTimeout', 'setInterval', 'clearInterval', 'Buffer', 'URL'].map((name) => [name, 'readonly'])) },
  },
  {
    files: ['e2e/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(['window', 'document', 'AudioNode', 'AudioDestinationNode', 'AudioBufferSourceNode'].map((name) => [name, 'readonly'])),
    },
  },
);
