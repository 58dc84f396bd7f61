// SPDX-License-Identifier: Apache-2.0
// Makes dist/try/, the files of the page /try/{app}: everything in them, so that the page asks nobody else for code.
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
  // esbuild does not find the entry for browsers that this package names without a suffix.
  alias: { '@aws-sdk/credential-providers': '@aws-sdk/credential-providers/dist-es/index.browser.js' },
});
