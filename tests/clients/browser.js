// SPDX-License-Identifier: Apache-2.0
// Headless Chromium with a temporary profile.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'];

// Calls `work` with a browser and closes it afterwards.
export async function withBrowser(work) {
    const profile = mkdtempSync(join(tmpdir(), 'integreat-chromium-'));
    const browser = await chromium.launchPersistentContext(profile, {
        executablePath: process.env.INTEGREAT_CHROMIUM ?? '/usr/bin/chromium', args: flags,
    });
    try {
        return await work(browser);
    } finally {
        await browser.close();
        rmSync(profile, { recursive: true, force: true });
    }
}
