// SPDX-License-Identifier: Apache-2.0
// Builds dist/try/, the files of the page /try/{app}, with all dependencies, so that the page loads no code from elsewhere.
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

await build({
  entryPoints: [here('try.ts'), here('try.css')],
  outdir: here('../dist/try'),
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  loader: { '.html': 'text' },
  logLevel: 'warning',
  // esbuild does not find the browser entry of this package, because it is named without a suffix.
  alias: { '@aws-sdk/credential-providers': '@aws-sdk/credential-providers/dist-es/index.browser.js' },
});
