// SPDX-License-Identifier: Apache-2.0
// The running platform under test: the ready file of `integreat dev --ready-file`, and administration of its local
// Firebase Auth (firebase-admin in emulator mode).
import { readFileSync } from 'node:fs';

import { cert, initializeApp } from 'firebase-admin/app';
import { getAuth } from 'firebase-admin/auth';

export const ready = JSON.parse(readFileSync(process.env.INTEGREAT_READY, 'utf8'));
export const campus = ready.tenants.campus;
export const teleo = ready.tenants.teleo;

const host = new URL(ready.firebase).host;

export const serviceAccountFile = (project) =>
    `${process.env.INTEGREAT_DATA}/firebase/service-accounts/${project}.json`;

// firebase-admin reads the variable at each call.
export function emulatorAdmin(project = campus.firebase_project) {
    process.env.FIREBASE_AUTH_EMULATOR_HOST = host;
    return getAuth(initializeApp({ projectId: project }, `admin-${project}-${Math.random()}`));
}

export function signedCustomToken(uid, claims) {
    const credential = cert(serviceAccountFile(campus.firebase_project));
    const emulator = process.env.FIREBASE_AUTH_EMULATOR_HOST;
    delete process.env.FIREBASE_AUTH_EMULATOR_HOST;  // In emulator mode tokens are not signed.
    const auth = getAuth(initializeApp({ credential }, `signer-${Math.random()}`));
    if (emulator) process.env.FIREBASE_AUTH_EMULATOR_HOST = emulator;
    return auth.createCustomToken(uid, claims);
}

export async function oobCode(email, kind) {
    const response = await fetch(`${ready.firebase}/emulator/v1/projects/${campus.firebase_project}/oobCodes`);
    const { oobCodes } = await response.json();
    return oobCodes.filter((code) => code.email === email && code.requestType === kind).at(-1)?.oobCode;
}
