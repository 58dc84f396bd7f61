// SPDX-License-Identifier: Apache-2.0
// The page /try/{app} in a real browser, with the Firebase SDK and the AWS SDK from npm, the CORS configuration of the
// bucket, and the content security policy of the page.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { withBrowser } from './browser.js';
import { campus, ready, teleo } from './ready.js';

const small = randomBytes(100_000);
const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function hashFile(path) {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    return hash.digest('hex');
}

// Violations of the content security policy and exceptions of scripts are collected in `violations` and fail the test.
async function openPage(browser, app = 'campus', origin = ready.gateway) {
    const page = await browser.newPage();
    const violations = [];
    page.on('pageerror', (error) => violations.push(String(error)));
    page.on('console', (message) => {
        if (message.type() === 'error' && /Content Security Policy|CORS/.test(message.text())) violations.push(message.text());
    });
    await page.goto(`${origin}/try/${app}`);
    return { page, violations };
}

async function signIn(page, user) {
    await page.getByLabel('Demo user').selectOption(user.email);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForFunction(() => /^users\//.test(document.getElementById('folder').textContent));
    assert.equal(await page.locator('#who').textContent(), user.email);
    return await page.locator('#folder').textContent();
}

async function signOut(page) {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
}

// Limits the upload rate in bytes per second; -1 removes the limit.
async function limitUpload(page, uploadThroughput) {
    const session = await page.context().newCDPSession(page);
    await session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
}

// Returns the newest log entry with `title`.
async function logEntry(page, title, timeout = 60_000) {
    const entry = page.locator('#log li', { hasText: title }).first();
    await entry.waitFor({ timeout });
    return await entry.textContent();
}

async function uploadFile(page, name, file, timeout) {
    await page.getByLabel('Choose a file').setInputFiles(file);
    assert.match(await logEntry(page, `Uploaded ${name}`, timeout), /directly to S3/);
    await page.getByRole('cell', { name, exact: true }).waitFor();
}

async function downloadFile(page, name) {
    const [download] = await Promise.all([
        page.waitForEvent('download', { timeout: 60_000 }),
        page.getByRole('button', { name: `Download ${name}` }).click(),
    ]);
    assert.equal(download.suggestedFilename(), name);
    return await download.path();
}

test('files are uploaded, listed, downloaded and deleted', { timeout: 120_000 }, async () => {
    await withBrowser(async (browser) => {
        const { page, violations } = await openPage(browser);
        const user = campus.users[0];
        await signIn(page, user);
        await uploadFile(page, 'grades.bin', { name: 'grades.bin', mimeType: 'application/octet-stream', buffer: small });
        assert.equal(await hashFile(await downloadFile(page, 'grades.bin')), sha(small));

        await page.getByRole('button', { name: 'Link grades.bin' }).click();
        const link = (await logEntry(page, 'A link to grades.bin')).match(/http:\S+/)[0];
        assert.equal(sha(Buffer.from(await (await fetch(link)).arrayBuffer())), sha(small));

        await page.reload();
        await page.getByRole('cell', { name: 'grades.bin', exact: true }).waitFor();
        await page.getByRole('button', { name: 'Delete grades.bin' }).click();
        await page.getByText('No files yet.').waitFor();
        assert.equal((await fetch(link)).status, 403);
        assert.deepEqual(violations, []);
    });
});

test('a file is uploaded with a link', { timeout: 120_000 }, async () => {
    await withBrowser(async (browser) => {
        const { page, violations } = await openPage(browser);
        await signIn(page, campus.users[0]);
        await page.getByLabel('Let anyone upload this file').fill('by-link.txt');
        await page.locator('#share').getByRole('button', { name: 'Create a link' }).click();
        const link = (await logEntry(page, 'A link to upload by-link.txt')).match(/'(http[^']+)'/)[1];
        const put = (url) => page.evaluate(async (to) => (await fetch(to, { method: 'PUT', body: 'by link', headers: { 'If-None-Match': '*' } })).status, url);
        assert.equal(await put(link), 200);
        assert.equal(await put(link), 412, 'a link uploads one file, once');
        assert.equal(await put(link.replace('by-link', 'by-form')), 403);
        await page.reload();
        assert.equal(await hashFile(await downloadFile(page, 'by-link.txt')), sha('by link'));
        await page.getByRole('button', { name: 'Delete by-link.txt' }).click();
        await page.getByRole('cell', { name: 'by-link.txt', exact: true }).waitFor({ state: 'detached' });
        assert.deepEqual(violations, []);
    });
});

test('every refusal shows the reason and the fix', { timeout: 120_000 }, async () => {
    await withBrowser(async (browser) => {
        const { page, violations } = await openPage(browser, 'campus', ready.gateway.replace('127.0.0.1', 'localhost'));
        await signIn(page, campus.users[0]);
        const attempt = async (name) => {
            await page.locator('#denied-examples').getByRole('button', { name }).click();
            return await logEntry(page, name);
        };
        const read = await attempt('Read from EVNTgarde');
        assert.match(read, /AccessDenied.*is not authorized to perform: s3:GetObject on resource/);
        assert.match(read, /What to change: There is no such file, or it belongs to another user/);
        assert.match(read, /denied {2}s3:GetObject on arn:aws:s3:::evntgarde-event-management-tenant-bucket/);
        assert.match(read, /integreat why \w+/);
        assert.match(await attempt('Upload to EVNTgarde'), /AccessDenied.*s3:PutObject/);
        assert.match(await attempt('Use your token for EVNTgarde'),
            /NotAuthorizedException.*Token is not from a supported provider.*trusts another Firebase project/);
        assert.match(await attempt("Read another user's file"), /AccessDenied.*s3:GetObject.*belongs to another user/s);
        assert.match(await attempt('Replace a file'), /AccessDenied.*s3:PutObject.*If-None-Match/s);
        assert.match(await attempt("Delete in another user's folder"), /OutsideOfFolder.*is not in the folder/);
        assert.match(await attempt('Change a link'), /SignatureDoesNotMatch.*authentication: /s);
        assert.match(await attempt('Open the bucket to the world'), /AccessDenied.*s3:PutBucketPolicy/);
        assert.deepEqual(violations, []);
    });
});

test('the next user gets neither files nor credentials of the previous one', { timeout: 120_000 }, async () => {
    await withBrowser(async (browser) => {
        const { page, violations } = await openPage(browser);
        const [first, second] = campus.users;
        const folder = await signIn(page, first);
        const firstKey = (await page.locator('#credentials').textContent()).split(',')[0];
        await uploadFile(page, 'mine.txt', { name: 'mine.txt', mimeType: 'text/plain', buffer: Buffer.from('mine') });
        await limitUpload(page, 500_000);
        const started = page.waitForRequest(/partNumber=/);
        const large = { name: 'large.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(20_000_000) };
        await page.getByLabel('Choose a file').setInputFiles(large);
        await started;
        await signOut(page);
        await limitUpload(page, -1);
        assert.match(await logEntry(page, 'Upload large.bin'), /UserChanged/);
        assert.equal(await page.locator('#files tr').count(), 0);

        const used = [];
        page.on('request', (request) => {
            const key = request.headers()['authorization']?.match(/Credential=(\w+)/)?.[1];
            if (key) used.push(key);
        });
        const other = await signIn(page, second);
        assert.notEqual(other, folder);
        await page.getByText('No files yet.').waitFor();
        assert.ok(used.length > 0);
        assert.ok(!used.includes(firstKey), 'credentials of the first user were used for the second');

        await signOut(page);
        assert.equal(await signIn(page, first), folder, 'the same identity again');
        await page.getByRole('button', { name: 'Delete mine.txt' }).click();
        await page.getByText('No files yet.').waitFor(); // The aborted upload left no file either.
        assert.deepEqual(violations, []);
    });
});

test('200 MB are uploaded in parts, with progress, and downloaded unchanged', { timeout: 360_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'integreat-try-'));
    const path = join(folder, 'film.bin');
    try {
        const file = await open(path, 'w');
        const chunk = randomBytes(1024 * 1024);
        for (let i = 0; i < 200; ++i) {
            chunk.writeUInt32BE(i, 0);
            await file.write(chunk);
        }
        await file.close();
        await withBrowser(async (browser) => {
            const { page, violations } = await openPage(browser);
            await signIn(page, campus.users[0]);
            await page.evaluate(() => {
                window.values = [];
                const bar = document.getElementById('progress');
                new MutationObserver(() => window.values.push(bar.value)).observe(bar, { attributes: true });
            });
            const began = performance.now();
            await uploadFile(page, 'film.bin', path, 240_000);
            console.log(`# 200 MB in Chromium: ${((performance.now() - began) / 1000).toFixed(1)} s`);
            const values = await page.evaluate(() => window.values);
            assert.ok(values.length >= 20, `progress was shown ${values.length} times`);
            assert.deepEqual(values, [...values].sort((a, b) => a - b));
            assert.equal(await hashFile(await downloadFile(page, 'film.bin')), await hashFile(path));
            await page.getByRole('button', { name: 'Delete film.bin' }).click();
            await page.getByText('No files yet.').waitFor();
            assert.deepEqual(violations, []);
        });
    } finally {
        await rm(folder, { recursive: true });
    }
});

test('each app has a page with its bucket and labelled controls', { timeout: 120_000 }, async () => {
    await withBrowser(async (browser) => {
        for (const [app, tenant] of [['campus', campus], ['teleo', teleo]]) {
            const { page, violations } = await openPage(browser, app);
            await signIn(page, tenant.users[0]);
            assert.equal(await page.locator('[data-text=bucket]').textContent(), tenant.bucket);
            const unlabelled = await page.evaluate(() => [...document.querySelectorAll('input, select, button, progress')]
                .filter((one) => !(one.labels?.length || one.textContent.trim() || one.getAttribute('aria-label')))
                .map((one) => one.outerHTML));
            assert.deepEqual(unlabelled, []);
            assert.deepEqual(violations, []);
            await page.close();
        }
    });
});
