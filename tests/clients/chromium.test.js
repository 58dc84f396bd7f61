// SPDX-License-Identifier: Apache-2.0
// The same flow in a page of a real browser, where CORS applies: the page is from another origin.
import { createServer } from 'node:http';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';
import { withBrowser } from './browser.js';
import { backend, check, configFor } from './expected.js';

async function bundle() {
    const built = await build({
        entryPoints: [fileURLToPath(new URL('flow.js', import.meta.url))],
        bundle: true, write: false, format: 'iife', globalName: 'integreat', platform: 'browser',
    });
    return built.outputFiles[0].text;
}

async function serve(script) {
    const server = createServer((request, response) => {
        const isScript = request.url === '/flow.js';
        response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
        response.end(isScript ? script : '<!doctype html><title>flow</title><script src="/flow.js"></script>');
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    return server;
}

test('the Firebase JS SDK works in Chromium', { timeout: 180_000 }, async () => {
    const server = await serve(await bundle());
    try {
        await withBrowser(async (browser) => {
            const page = await browser.newPage();
            for (const [name, function_] of Object.entries(backend())) await page.exposeFunction(`backend_${name}`, function_);
            await page.goto(`http://localhost:${server.address().port}/`);
            const config = configFor('chromium');
            const results = await page.evaluate((settings) => window.integreat.flow(settings, {
                setClaims: window.backend_setClaims,
                oobCode: window.backend_oobCode,
                customTokens: window.backend_customTokens,
            }), config);
            check(results, config);
        });
    } finally {
        server.close();
    }
});
