// SPDX-License-Identifier: Apache-2.0
// firebase-admin in emulator mode: all operations of user management.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { campus, emulatorAdmin, ready, teleo } from './ready.js';

const admin = emulatorAdmin();
const email = `dean-${Date.now()}@example.com`;

test('firebase-admin manages users', { timeout: 60_000 }, async () => {
    const created = await admin.createUser({ email, password: 'secret123', displayName: 'The Dean' });
    assert.equal((await admin.getUserByEmail(email.toUpperCase())).uid, created.uid);
    const found = await admin.getUsers([{ uid: created.uid }, { email: 'unknown@example.com' }]);
    assert.equal(found.users.length, 1);
    assert.equal(found.notFound.length, 1);
    await assert.rejects(admin.getUser('unknown'), { code: 'auth/user-not-found' });
    await assert.rejects(admin.createUser({ email, password: 'secret123' }), { code: 'auth/email-already-exists' });

    await admin.setCustomUserClaims(created.uid, { role: 'dean' });
    assert.deepEqual((await admin.getUser(created.uid)).customClaims, { role: 'dean' });
    await admin.updateUser(created.uid, { disabled: true, displayName: null });
    const changed = await admin.getUser(created.uid);
    assert.equal(changed.disabled, true);
    assert.equal(changed.displayName, undefined);
    await admin.revokeRefreshTokens(created.uid);

    const link = await admin.generateEmailVerificationLink(email);
    assert.equal((await fetch(link)).status, 200);
    assert.equal((await admin.getUser(created.uid)).emailVerified, true);
    assert.match(await admin.generatePasswordResetLink(email), /mode=resetPassword/);
    assert.ok((await admin.listUsers(1000)).users.some((user) => user.uid === created.uid));
    assert.equal((await admin.importUsers([{ uid: `i-${created.uid}`, email: `i-${email}` }])).successCount, 1);
    assert.equal((await admin.deleteUsers([`i-${created.uid}`])).successCount, 1);
    await admin.deleteUser(created.uid);
    await assert.rejects(admin.getUser(created.uid), { code: 'auth/user-not-found' });
});

test('administrators of a project cannot access another', { timeout: 60_000 }, async () => {
    const created = await admin.createUser({ email: `separate-${email}` });
    await assert.rejects(emulatorAdmin(teleo.firebase_project).getUser(created.uid), { code: 'auth/user-not-found' });
    await assert.rejects(emulatorAdmin('no-such-project').getUser(created.uid), { code: 'auth/project-not-found' });
    await admin.deleteUser(created.uid);
});

test('a session cookie is created for a signed-in user', { timeout: 60_000 }, async () => {
    const user = campus.users[0];
    const url = `${ready.firebase}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=${campus.firebase_api_key}`;
    const response = await fetch(url, { method: 'POST', body: JSON.stringify({ email: user.email, password: user.password }) });
    const cookie = await admin.createSessionCookie((await response.json()).idToken, { expiresIn: 3_600_000 });
    assert.equal(cookie.split('.').length, 3);
});
