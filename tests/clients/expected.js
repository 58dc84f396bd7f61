// SPDX-License-Identifier: Apache-2.0
// The expected results of flow(), in Node and in a browser.
import assert from 'node:assert/strict';

import { campus, emulatorAdmin, oobCode, ready, signedCustomToken, teleo } from './ready.js';

export function configFor(name) {
    return {
        name: `${name}-${Date.now()}`,
        firebase: ready.firebase,
        gateway: ready.gateway,
        campusKey: campus.firebase_api_key,
        teleoKey: teleo.firebase_api_key,
        seededUser: campus.users.find((user) => user.role === 'registrar'),
    };
}

export function backend() {
    const admin = emulatorAdmin();
    return {
        setClaims: (uid, claims) => admin.setCustomUserClaims(uid, claims),
        oobCode,
        customTokens: async (uid) => ({
            unsigned: await admin.createCustomToken(uid, { role: 'student' }),
            signed: await signedCustomToken(uid, { role: 'professor' }),
        }),
    };
}

export function check(results, { name }) {
    const { me, seededMe, ...rest } = results;
    assert.deepEqual(rest, {
        signUp: { email: `ann-${name}@example.com`, anonymous: false, verified: false },
        uidLength: 28,
        duplicate: 'auth/email-already-in-use',
        weak: 'auth/weak-password',
        malformed: 'auth/invalid-email',
        roleBefore: null,
        roleAfter: 'registrar',
        newToken: true,
        otherApp: 403,
        profile: { name: 'Ann A', photo: 'http://x/y.png' },
        verified: true,
        wrongPassword: 'auth/invalid-credential',
        unknownUser: 'auth/invalid-credential',
        sameUid: true,
        policy: false,
        resetFor: true,
        usedCode: 'auth/invalid-action-code',
        oldPassword: 'auth/invalid-credential',
        afterReset: true,
        isLink: true,
        link: true,
        deleted: 'auth/invalid-credential',
        anonymous: true,
        linked: { same: true, anonymous: false },
        unlinked: 0,
        custom_unsigned: { uid: `custom-${name}`, role: 'student', by: 'custom' },
        custom_signed: { uid: `custom-${name}`, role: 'professor', by: 'custom' },
        badCustom: 'auth/invalid-custom-token',
        google: { provider: 'google.com', verified: true },
        badGoogle: 'auth/invalid-credential',
        seededRole: 'registrar',
        tampered: 401,
        elsewhere: 'auth/invalid-credential',
        unknownKey: 'auth/api-key-not-valid.-please-pass-a-valid-api-key.',
    });
    for (const [response, email] of [[me, `ann-${name}@example.com`], [seededMe, campus.users.find((u) => u.role === 'registrar').email]]) {
        assert.equal(response.status, 200, JSON.stringify(response));
        assert.equal(response.body.role, 'registrar', JSON.stringify(response));
        assert.equal(response.body.email, email, JSON.stringify(response));
    }
}
