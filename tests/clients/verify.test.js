// SPDX-License-Identifier: Apache-2.0
// firebase-admin verifies tokens of the local Firebase Auth with its production code. This is the example of
// docs/reference/firebase.md, which redirects the request for keys.
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import { test } from 'node:test';

import { initializeApp } from 'firebase-admin/app';
import { getAuth } from 'firebase-admin/auth';

import { campus, ready, teleo } from './ready.js';

const { hostname, port } = new URL(ready.firebase);

class LocalKeys extends https.Agent {
    createConnection() { return http.globalAgent.createConnection({ host: hostname, port: Number(port) }); }
}

const makeVerifier = (project) =>
    getAuth(initializeApp({ projectId: project, httpAgent: new LocalKeys() }, project));

async function idToken(tenant) {
    const [user] = tenant.users;
    const url = `${ready.firebase}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=${tenant.firebase_api_key}`;
    const response = await fetch(url, { method: 'POST', body: JSON.stringify({ email: user.email, password: user.password }) });
    return (await response.json()).idToken;
}

test('firebase-admin verifies tokens with the keys of the local Firebase Auth', { timeout: 60_000 }, async () => {
    const verifier = makeVerifier(campus.firebase_project);
    const token = await idToken(campus);
    const claims = await verifier.verifyIdToken(token);
    assert.equal(claims.email, campus.users[0].email);
    assert.equal(claims.role, campus.users[0].role);

    const [header, payload, signature] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(payload, 'base64url')), role: 'admin' }));
    for (const bad of [
        `${header}.${forged.toString('base64url')}.${signature}`,
        `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
        `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`,
        await idToken(teleo),
    ]) {
        await assert.rejects(verifier.verifyIdToken(bad), { code: 'auth/argument-error' });
    }
    await assert.rejects(makeVerifier(teleo.firebase_project).verifyIdToken(token), { code: 'auth/argument-error' });
});
