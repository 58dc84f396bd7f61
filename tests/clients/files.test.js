// SPDX-License-Identifier: Apache-2.0
// The files of sdk/js in Node, with the SDKs as npm has them: the whole chain, credentials that end, users who change.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';

import { CopyObjectCommand, DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { deleteApp, initializeApp } from 'firebase/app';
import { connectAuthEmulator, getAuth, signInWithEmailAndPassword, signOut } from 'firebase/auth';

import { Files, StorageError } from '../../sdk/js/dist/storage.js';
import { startProxy } from './cloud_proxy.js';
import { ready, teleo, campus } from './ready.js';

const [ann, bob] = teleo.users;
const role = `${teleo.firebase_project}-TenantUserRole`;
let app;
let auth;

before(() => {
    app = initializeApp({ apiKey: teleo.firebase_api_key, projectId: teleo.firebase_project }, 'files');
    auth = getAuth(app);
    connectAuthEmulator(auth, ready.firebase, { disableWarnings: true });
});
after(() => deleteApp(app));

const signIn = (user) => signInWithEmailAndPassword(auth, user.email, user.password);

const makeSettings = (more = {}) => ({
    auth,
    firebaseProject: teleo.firebase_project,
    identityPool: teleo.identity_pool,
    bucket: teleo.bucket,
    endpoint: ready.aws,
    ...more,
});

async function withFiles(more, work) {
    const files = new Files(makeSettings(more));
    try {
        return await work(files);
    } finally {
        files.close();
    }
}

async function refusal(promise, name) {
    const error = await promise.then(() => assert.fail(`was not refused: ${name}`), (failure) => failure);
    assert.ok(error instanceof StorageError, String(error));
    assert.equal(error.name, name, `${error.message} ${error.remedy}`);
    assert.ok(error.remedy.length > 10);
    return error;
}

// As the account's root, with the tool that operators have.
function iam(...words) {
    const environment = { ...process.env, AWS_SHARED_CREDENTIALS_FILE: ready.aws_credentials, AWS_DEFAULT_REGION: 'us-east-1' };
    const output = execFileSync('aws', ['--endpoint-url', ready.aws, '--output', 'json', 'iam', ...words], { env: environment, timeout: 60_000 });
    return output.length > 0 ? JSON.parse(output) : undefined;
}

const policyName = 'TenantUserRoleDefaultPolicy';
const getPolicy = () => iam('get-role-policy', '--role-name', role, '--policy-name', policyName).PolicyDocument;
const putPolicy = (policy) =>
    iam('put-role-policy', '--role-name', role, '--policy-name', policyName, '--policy-document', JSON.stringify(policy));

test('a user has files in a folder of their own', { timeout: 60_000 }, async () => {
    await signIn(ann);
    await withFiles({}, async (files) => {
        const folder = await files.folder();
        assert.equal(folder, `users/${auth.currentUser.uid}/`);
        const bytes = randomBytes(9 * 1024 * 1024);
        const progress = [];
        const stored = await files.upload(new Blob([bytes], { type: 'video/mp4' }), { name: 'a/film é.mp4', onProgress: (one) => progress.push(one.sent) });
        assert.deepEqual(stored, { key: `${folder}a/film é.mp4`, name: 'film é.mp4', content_type: 'video/mp4', bytes: bytes.length });
        assert.deepEqual([progress[0], progress.at(-1)], [0, bytes.length]);
        await files.upload(new TextEncoder().encode('hello'), { name: 'b.txt', contentType: 'text/plain' });

        const first = await files.list({ limit: 1 });
        assert.deepEqual(first.items.map(({ name, bytes: size }) => [name, size]), [['a/film é.mp4', bytes.length]]);
        const second = await files.list({ limit: 1, next: first.next });
        assert.deepEqual([second.items.map(({ name }) => name), second.next], [['b.txt'], null]);

        const back = await files.download(stored.key);
        assert.equal(back.type, 'video/mp4');
        assert.ok(Buffer.from(await back.arrayBuffer()).equals(bytes));
        for (const { key } of [...first.items, ...second.items]) await files.delete(key);
        assert.deepEqual(await files.list(), { items: [], next: null });
        assert.match((await refusal(files.download(stored.key), 'AccessDenied')).remedy, /no such file/);
    });
});

test('links let others read a file, and upload one once', { timeout: 60_000 }, async () => {
    await signIn(ann);
    await withFiles({}, async (files) => {
        const put = await files.uploadLink('by-link.txt');
        const send = (headers) => fetch(put, { method: 'PUT', body: 'by link', headers });
        assert.equal((await send({})).status, 403, 'the header is signed');
        assert.equal((await send({ 'If-None-Match': '*' })).status, 200);
        assert.equal((await send({ 'If-None-Match': '*' })).status, 412);
        const key = `${await files.folder()}by-link.txt`;
        const get = await files.link(key, 60);
        assert.equal(await (await fetch(get)).text(), 'by link');
        assert.equal((await fetch(get.replace('by-link', 'by-form'))).status, 403);
        await files.delete(key);
        assert.equal((await fetch(get)).status, 403);
    });
});

test('a file is never replaced, and its content outlives its deletion', { timeout: 60_000 }, async () => {
    await signIn(ann);
    await withFiles({}, async (files) => {
        const bytes = (text) => new TextEncoder().encode(text);
        const { key } = await files.upload(bytes('first'), { name: 'report.txt' });
        assert.match((await refusal(files.upload(bytes('second'), { name: 'report.txt' }), 'PreconditionFailed')).remedy, /another name/);
        await refusal(files.upload(randomBytes(9 * 1024 * 1024), { name: 'report.txt' }), 'PreconditionFailed');
        const replace = new PutObjectCommand({ Bucket: teleo.bucket, Key: key, Body: 'second' });
        const error = await refusal(files.withClient((client) => client.send(replace)), 'AccessDenied');
        assert.match(error.decision.explanation, /CreateOnly/);
        const { VersionId } = await files.withClient((client) => client.send(new GetObjectCommand({ Bucket: teleo.bucket, Key: key })));
        await files.delete(key);
        for (const command of [
            new DeleteObjectCommand({ Bucket: teleo.bucket, Key: key, VersionId }),
            new GetObjectCommand({ Bucket: teleo.bucket, Key: key, VersionId }),
        ])
            await refusal(files.withClient((client) => client.send(command)), 'AccessDenied');
        await files.upload(bytes('second'), { name: 'report.txt' });
        await files.delete(key);
    });
});

test('names and keys outside the folder are refused before a request', { timeout: 60_000 }, async () => {
    await signIn(ann);
    await withFiles({}, async (files) => {
        for (const name of ['', '/a', 'a/', '../a', 'a/../b', './a', 'a//b', 'a\nb'])
            await refusal(files.upload(new Uint8Array(1), { name }), 'BadName');
        await refusal(files.upload(new Uint8Array(1), { name: 'ä'.repeat(600) }), 'BadName');
        await refusal(files.uploadLink('../a'), 'BadName');
        for (const key of ['a', 'users/another/a', await files.folder()]) await refusal(files.delete(key), 'OutsideOfFolder');
    });
});

test('a refusal names the deciding statement and the fix', { timeout: 60_000 }, async () => {
    await signIn(ann);
    await withFiles({ bucket: campus.bucket }, async (files) => {
        const error = await refusal(files.download('a'), 'AccessDenied');
        assert.equal(error.status, 403);
        assert.match(error.message, /is not authorized to perform: s3:GetObject/);
        assert.match(error.remedy, /in the bucket of their own tenant/);
        const [verdict] = error.decision.verdicts;
        assert.deepEqual([verdict.allowed, verdict.action, verdict.resource], [false, 's3:GetObject', `arn:aws:s3:::${campus.bucket}/a`]);
        assert.match(error.decision.explanation, new RegExp(`assumed-role/${role}`));
    });
    await withFiles({ identityPool: campus.identity_pool }, async (files) => {
        const error = await refusal(files.list(), 'NotAuthorizedException');
        assert.match(error.decision.authentication, /is not a provider of the pool/);
    });
    await withFiles({ identityPool: 'us-east-1:00000000-0000-0000-0000-000000000000' }, async (files) => {
        await refusal(files.list(), 'ResourceNotFoundException');
    });
    const closedPort = await new Promise((done) => {
        const server = createServer().listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => done(port));
        });
    });
    await withFiles({ endpoint: `http://127.0.0.1:${closedPort}` }, async (files) => {
        assert.match((await refusal(files.list(), 'Unreachable')).remedy, /cors\.origins/);
    });
});

test('a user reaches no file of another user', { timeout: 60_000 }, async () => {
    await signIn(ann);
    await withFiles({}, async (files) => {
        const stored = await files.upload(new TextEncoder().encode('of ann'), { name: 'mine.txt' });
        const folder = await files.folder();
        await signIn(bob);
        const error = await refusal(files.download(stored.key), 'AccessDenied');
        assert.match(error.decision.explanation, /Statement .* allows this action, but only on/);
        assert.match(error.remedy, /belongs to another user/);
        for (const prefix of [folder, 'users/', '']) await refusal(files.list({ folder: prefix }), 'AccessDenied');
        for (const command of [
            new PutObjectCommand({ Bucket: teleo.bucket, Key: `${folder}new.txt`, Body: 'x', IfNoneMatch: '*' }),
            new DeleteObjectCommand({ Bucket: teleo.bucket, Key: stored.key }),
            new CopyObjectCommand({ Bucket: teleo.bucket, Key: `${await files.folder()}copy.txt`, CopySource: `${teleo.bucket}/${stored.key}` }),
        ])
            await refusal(files.withClient((client) => client.send(command)), 'AccessDenied');
        const own = await files.upload(new TextEncoder().encode('of bob'), { name: 'mine.txt' });
        assert.equal(await (await files.download(own.key)).text(), 'of bob');
        await files.delete(own.key);
        await signIn(ann);
        assert.equal(await (await files.download(stored.key)).text(), 'of ann');
        await files.delete(stored.key);
    });
});

test('a prefix is open to the roles of the manifest', { timeout: 60_000 }, async () => {
    const [member, pastor] = ['member', 'pastor'].map((name) => teleo.users.find((user) => user.role === name));
    const Bucket = teleo.bucket;
    const Key = 'announcements/notice.txt';
    const put = new PutObjectCommand({ Bucket, Key, Body: 'notice', IfNoneMatch: '*' });
    await signIn(pastor);
    await withFiles({}, async (files) => {
        await files.withClient((client) => client.send(put));
        await signIn(member);
        assert.equal(await (await files.download(Key)).text(), 'notice');
        assert.deepEqual((await files.list({ folder: 'announcements/' })).items.map(({ key }) => key), [Key]);
        await refusal(files.withClient((client) => client.send(put)), 'AccessDenied');
        const remove = new DeleteObjectCommand({ Bucket, Key });
        await refusal(files.withClient((client) => client.send(remove)), 'AccessDenied');
        await signIn(pastor);
        await files.withClient((client) => client.send(remove));
    });
});

test('credentials are renewed before they expire', { timeout: 60_000 }, async () => {
    await signIn(ann);
    const proxy = await startProxy({ credentialSeconds: 30 });
    try {
        await withFiles({ endpoint: proxy.url }, async (files) => {
            await files.list();
            await files.list();
        });
        const exchanges = proxy.requests.filter(({ method }) => method === 'GetCredentialsForIdentity');
        const keys = proxy.requests.filter(({ key }) => key).map(({ key }) => key);
        assert.ok(exchanges.length >= 2, `${exchanges.length} exchanges`);
        assert.equal(keys.length, 2);
        assert.notEqual(keys[0], keys[1], 'the second request has newer credentials');
    } finally {
        await proxy.stop();
    }
});

test('valid credentials are requested once', { timeout: 60_000 }, async () => {
    await signIn(ann);
    const proxy = await startProxy();
    try {
        await withFiles({ endpoint: proxy.url }, async (files) => {
            await Promise.all([files.list(), files.list(), files.folder()]);
            await files.list();
        });
        assert.equal(proxy.requests.filter(({ method }) => method === 'GetCredentialsForIdentity').length, 1);
    } finally {
        await proxy.stop();
    }
});

// A sign-in with a cached token that the pool rejects: it has expired, or its key no longer exists.
function withBadToken(good) {
    const calls = [];
    const user = {
        uid: auth.currentUser.uid,
        async getIdToken(forceRefresh = false) {
            calls.push(forceRefresh);
            const token = await auth.currentUser.getIdToken(forceRefresh);
            return forceRefresh && good ? token : `${token.slice(0, -8)}AAAAAAAA`;
        },
    };
    return { calls, auth: { currentUser: user, onAuthStateChanged: (next) => (next(user), () => {}) } };
}

test('a token that the pool refuses is replaced once', { timeout: 60_000 }, async () => {
    await signIn(ann);
    const replaceable = withBadToken(true);
    await withFiles({ auth: replaceable.auth }, async (files) => assert.deepEqual((await files.list()).items, []));
    assert.deepEqual(replaceable.calls, [false, true]);
    const permanent = withBadToken(false);
    await withFiles({ auth: permanent.auth }, async (files) => {
        assert.match((await refusal(files.list(), 'NotAuthorizedException')).remedy, /Sign in again/);
    });
    assert.deepEqual(permanent.calls, [false, true]);
});

test('a recreated role ends its sessions, and the client gets new credentials', { timeout: 120_000 }, async () => {
    await signIn(ann);
    const proxy = await startProxy();
    try {
        await withFiles({ endpoint: proxy.url }, async (files) => {
            await files.list();
            const policy = getPolicy();
            const trust = iam('get-role', '--role-name', role).Role.AssumeRolePolicyDocument;
            iam('delete-role-policy', '--role-name', role, '--policy-name', policyName);
            iam('delete-role', '--role-name', role);
            iam('create-role', '--role-name', role, '--assume-role-policy-document', JSON.stringify(trust));
            putPolicy(policy);
            const stored = await files.upload(randomBytes(9 * 1024 * 1024), { name: 'after.bin' });
            await files.delete(stored.key);
        });
        const keys = new Set(proxy.requests.filter(({ key }) => key).map(({ key }) => key));
        assert.equal(keys.size, 2);
    } finally {
        await proxy.stop();
    }
});

test('an operation of one user is aborted when another signs in', { timeout: 120_000 }, async () => {
    await signIn(ann);
    const proxy = await startProxy();
    try {
        await withFiles({ endpoint: proxy.url }, async (files) => {
            const folder = await files.folder();
            const started = new Promise((resolve) => {
                proxy.onRequest = ({ path }) => path.includes('partNumber=2') && resolve();
            });
            const upload = refusal(files.upload(randomBytes(60 * 1024 * 1024), { name: 'large.bin' }), 'UserChanged');
            await started;
            await signIn(bob);
            await upload;
            await proxy.closeConnections();
            const previousRequests = proxy.requests.length;
            assert.deepEqual((await files.list()).items, []);
            assert.notEqual(await files.folder(), folder);
            await files.delete((await files.upload(new Uint8Array(9), { name: 'of bob' })).key);
            const annKey = proxy.requests.find(({ key }) => key).key;
            const later = proxy.requests.slice(previousRequests).filter(({ key }) => key);
            assert.equal(later.length, 3);
            assert.deepEqual(later.filter(({ key }) => key === annKey), [], 'sent with the credentials of the previous user');
            const completed = proxy.requests.filter(({ method, path }) => method === 'POST' && /[?&]uploadId=/.test(path));
            assert.deepEqual(completed, []);

            const listing = refusal(files.list(), 'UserChanged');
            await signOut(auth);
            await listing;
            await refusal(files.list(), 'SignedOut');
            await signIn(ann);
            assert.equal(await files.folder(), folder);
            assert.deepEqual((await files.list()).items, [], 'the aborted upload left no file');
        });
    } finally {
        await proxy.stop();
    }
});

test('uploads and requests can be aborted', { timeout: 60_000 }, async () => {
    await signIn(ann);
    await withFiles({}, async (files) => {
        const large = new AbortController();
        const onProgress = ({ sent }) => sent > 0 && large.abort();
        await refusal(files.upload(randomBytes(30 * 1024 * 1024), { name: 'aborted.bin', signal: large.signal, onProgress }), 'AbortError');
        await refusal(files.upload(randomBytes(10), { name: 'aborted.txt', signal: AbortSignal.abort() }), 'AbortError');
        await refusal(files.list({ signal: AbortSignal.abort() }), 'AbortError');
        assert.deepEqual((await files.list()).items, []);
    });
});

test('other operations of S3 can be called as the user', { timeout: 60_000 }, async () => {
    await signIn(ann);
    await withFiles({}, async (files) => {
        await files.upload(new TextEncoder().encode('hello'), { name: 'a.txt' });
        const key = `${await files.folder()}a.txt`;
        const range = await files.withClient((client) => client.send(new GetObjectCommand({ Bucket: teleo.bucket, Key: key, Range: 'bytes=1-2' })));
        assert.equal(await range.Body.transformToString(), 'el');
        await files.delete(key);
    });
});
