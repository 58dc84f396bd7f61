// SPDX-License-Identifier: Apache-2.0
// Files of records: attached by whoever may write both the record and the file, opened by whoever may read the record,
// and fixed to the version that was attached.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { deleteApp, initializeApp } from 'firebase/app';
import { connectAuthEmulator, getAuth, signInWithEmailAndPassword } from 'firebase/auth';

import { Files } from '../../sdk/js/dist/storage.js';
import { campus, ready } from './ready.js';

const apps = [];
let student;
let other;
let registrar;
let program;

async function signIn(user) {
    const app = initializeApp({ apiKey: campus.firebase_api_key, projectId: campus.firebase_project }, user.email);
    apps.push(app);
    const auth = getAuth(app);
    connectAuthEmulator(auth, ready.firebase, { disableWarnings: true });
    await signInWithEmailAndPassword(auth, user.email, user.password);
    const files = new Files({
        auth,
        firebaseProject: campus.firebase_project,
        identityPool: campus.identity_pool,
        bucket: campus.bucket,
        endpoint: ready.aws,
    });
    const call = async (method, path, body) => {
        const response = await fetch(`${ready.gateway}/v1/apps/campus${path}`, {
            method,
            redirect: 'manual',
            headers: {
                Authorization: `Bearer ${await auth.currentUser.getIdToken()}`,
                'Content-Type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
            },
            ...(body ? { body: JSON.stringify(body) } : {}),
        });
        const text = await response.text();
        return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
    };
    return { uid: auth.currentUser.uid, files, call };
}

const bytes = (text) => new TextEncoder().encode(text);
const applicant = (more = {}) => ({
    family_name: 'Santos',
    given_name: 'Maria',
    born: '2008-03-01',
    sex: 'female',
    email: 'maria@example.ph',
    mobile: '+639171234567',
    address: { city: 'Marikina' },
    program,
    ...more,
});

before(async () => {
    const role = (name) => campus.users.find((user) => user.role === name);
    student = await signIn(role('student'));
    other = await signIn(role('professor'));
    registrar = await signIn(role('registrar'));
    const code = `RF${Date.now() % 1e6}`;
    const made = await registrar.call('POST', '/programs', { code, title: 'Nursing', college: 'Health' });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    program = made.body.id;
});
after(async () => {
    for (const { files } of [student, other, registrar]) files?.close();
    for (const app of apps) await deleteApp(app);
});

test('a reader of the record opens the version that was attached', { timeout: 60_000 }, async () => {
    const report_card = await student.files.upload(bytes('first'), { name: 'card.txt', contentType: 'text/plain' });
    const made = await student.call('POST', '/applicants', applicant({ report_card: { ...report_card, version_id: 'forged', bytes: 1 } }));
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.equal(made.body.report_card.bytes, 5);
    assert.match(made.body.report_card.version_id, /^.{8,}$/);
    assert.notEqual(made.body.report_card.version_id, 'forged');
    const path = `/applicants/${made.body.id}`;

    const open = await registrar.call('GET', `${path}/files/report_card`);
    assert.equal(open.status, 200, JSON.stringify(open.body));
    assert.equal(open.headers.get('cache-control'), 'no-store');
    const file = await fetch(open.body.url);
    assert.equal(await file.text(), 'first');
    assert.equal(file.headers.get('content-disposition'), 'inline; filename="card.txt"');
    const redirect = await registrar.call('GET', `${path}/files/report_card?redirect=true`);
    assert.equal(redirect.status, 303);
    assert.equal(await (await fetch(redirect.headers.get('location'))).text(), 'first');
    assert.equal((await fetch(open.body.url.replace(/versionId=[^&]+/, 'versionId=null'))).status, 403, 'a link opens one version');
    assert.equal((await other.call('GET', `${path}/files/report_card`)).status, 404, 'the record is hidden');
    assert.equal((await registrar.call('GET', `${path}/files/birth_certificate`)).status, 404, 'there is no file');

    await student.files.delete(report_card.key);
    await student.files.upload(bytes('swapped'), { name: 'card.txt', contentType: 'text/plain' });
    const renamed = await registrar.call('PATCH', path, { report_card: { name: 'Form 138.txt' } });
    assert.equal(renamed.status, 200, JSON.stringify(renamed.body));
    assert.equal(renamed.body.report_card.version_id, made.body.report_card.version_id);
    const again = await registrar.call('GET', `${path}/files/report_card`);
    assert.equal(await (await fetch(again.body.url)).text(), 'first', 'the version of the record cannot be swapped');
    await student.files.delete(report_card.key);
});

test('a file of another user, or none, is not attached', { timeout: 60_000 }, async () => {
    const victim = await student.files.upload(bytes('secret'), { name: 'secret.txt' });
    const refused = async (caller, key) => {
        const made = await caller.call('POST', '/applicants', applicant({ report_card: { key } }));
        assert.equal(made.status, 400, `${key} ${JSON.stringify(made.body)}`);
        assert.equal(made.body.errors[0].pointer, '#/report_card/key');
    };
    await refused(other, victim.key);
    await refused(registrar, victim.key);
    await refused(other, `users/${other.uid}/../${student.uid}/secret.txt`);
    await refused(other, `users/${other.uid}/missing.txt`);
    const named = await other.call('POST', '/applicants', applicant({ report_card: { key: 'applicants/1.pdf' } }));
    assert.equal(named.status, 201, JSON.stringify(named.body));
    assert.equal((await registrar.call('GET', `/applicants/${named.body.id}/files/report_card`)).status, 404, 'a name only');
    const patched = await other.call('PATCH', `/applicants/${named.body.id}`, { report_card: { key: victim.key } });
    assert.equal(patched.status, 400, JSON.stringify(patched.body));
    const many = await other.call('POST', '/applicants', [applicant(), applicant({ report_card: { key: victim.key } })]);
    assert.equal(many.status, 400, JSON.stringify(many.body));
    assert.equal(many.body.errors[0].pointer, '#/1/report_card/key');
    await student.files.delete(victim.key);
});
