// SPDX-License-Identifier: Apache-2.0
// The life of a user with the real Firebase JS SDK. Runs unchanged in Node and in a browser page and returns its results,
// which the tests compare. `backend` has the operations that a client lacks: calls of an administrator, reading e-mail.
import { initializeApp } from 'firebase/app';
import {
    EmailAuthProvider, GoogleAuthProvider, applyActionCode, confirmPasswordReset, connectAuthEmulator,
    createUserWithEmailAndPassword, deleteUser, initializeAuth, inMemoryPersistence, isSignInWithEmailLink,
    linkWithCredential, sendEmailVerification, sendPasswordResetEmail, sendSignInLinkToEmail, signInAnonymously,
    signInWithCredential, signInWithCustomToken, signInWithEmailAndPassword, signInWithEmailLink, signOut, unlink,
    updateEmail, updatePassword, updateProfile, validatePassword, verifyPasswordResetCode,
} from 'firebase/auth';

function open(config, apiKey, name) {
    const app = initializeApp({ apiKey, authDomain: 'localhost' }, `${name}-${config.name}`);
    const auth = initializeAuth(app, { persistence: inMemoryPersistence });
    connectAuthEmulator(auth, config.firebase, { disableWarnings: true });
    return auth;
}

async function errorCode(promise) {
    try {
        await promise;
        return 'no error';
    } catch (error) {
        return error.code ?? String(error);
    }
}

async function callGateway(config, user, app) {
    const response = await fetch(`${config.gateway}/v1/apps/${app}/me`, {
        headers: { Authorization: `Bearer ${await user.getIdToken()}` },
    });
    return { status: response.status, body: await response.json() };
}

const getClaims = async (user, refresh) => (await user.getIdTokenResult(refresh)).claims;

async function passwordAccount(auth, config, backend, results) {
    const email = `ann-${config.name}@example.com`;
    const { user } = await createUserWithEmailAndPassword(auth, email, 'secret123');
    results.signUp = { email: user.email, anonymous: user.isAnonymous, verified: user.emailVerified };
    results.uidLength = user.uid.length;
    results.duplicate = await errorCode(createUserWithEmailAndPassword(auth, email.toUpperCase(), 'secret123'));
    results.weak = await errorCode(createUserWithEmailAndPassword(auth, `b${email}`, '12345'));
    results.malformed = await errorCode(createUserWithEmailAndPassword(auth, 'nonsense', 'secret123'));

    results.roleBefore = (await getClaims(user, false)).role ?? null;
    await backend.setClaims(user.uid, { role: 'registrar' });
    const before = await user.getIdToken();
    results.roleAfter = (await getClaims(user, true)).role;
    results.newToken = before !== (await user.getIdToken());
    results.me = await callGateway(config, user, 'campus');
    results.otherApp = (await callGateway(config, user, 'teleo')).status;

    await updateProfile(user, { displayName: 'Ann A', photoURL: 'http://x/y.png' });
    results.profile = { name: user.displayName, photo: user.photoURL };
    await sendEmailVerification(user);
    await applyActionCode(auth, await backend.oobCode(email, 'VERIFY_EMAIL'));
    await user.reload();
    results.verified = user.emailVerified;
    await updatePassword(user, 'secret456');
    await updateEmail(user, `new-${email}`);
    await signOut(auth);

    results.wrongPassword = await errorCode(signInWithEmailAndPassword(auth, `new-${email}`, 'wrong-one'));
    results.unknownUser = await errorCode(signInWithEmailAndPassword(auth, `unknown-${email}`, 'wrong-one'));
    const again = await signInWithEmailAndPassword(auth, `new-${email}`, 'secret456');
    results.sameUid = again.user.uid === user.uid;
    results.policy = (await validatePassword(auth, '12345')).isValid;
    await signOut(auth);
    return { email: `new-${email}`, password: 'secret456', uid: user.uid };
}

async function resetAndLink(auth, config, backend, ann, results) {
    await sendPasswordResetEmail(auth, ann.email);
    const code = await backend.oobCode(ann.email, 'PASSWORD_RESET');
    results.resetFor = (await verifyPasswordResetCode(auth, code)) === ann.email;
    await confirmPasswordReset(auth, code, 'secret789');
    results.usedCode = await errorCode(confirmPasswordReset(auth, code, 'secret000'));
    results.oldPassword = await errorCode(signInWithEmailAndPassword(auth, ann.email, ann.password));
    results.afterReset = (await signInWithEmailAndPassword(auth, ann.email, 'secret789')).user.uid === ann.uid;

    const linked = `link-${config.name}@example.com`;
    await sendSignInLinkToEmail(auth, linked, { url: 'http://localhost/done', handleCodeInApp: true });
    const linkCode = await backend.oobCode(linked, 'EMAIL_SIGNIN');
    const link = `http://localhost/done?mode=signIn&oobCode=${linkCode}&apiKey=${config.campusKey}`;
    results.isLink = isSignInWithEmailLink(auth, link);
    results.link = (await signInWithEmailLink(auth, linked, link)).user.email === linked;
    await deleteUser(auth.currentUser);
    await signInWithEmailAndPassword(auth, ann.email, 'secret789');
    await deleteUser(auth.currentUser);
    results.deleted = await errorCode(signInWithEmailAndPassword(auth, ann.email, 'secret789'));
}

async function otherSignInMethods(auth, config, backend, results) {
    const anonymous = (await signInAnonymously(auth)).user;
    results.anonymous = anonymous.isAnonymous;
    const email = `link-later-${config.name}@example.com`;
    const { user } = await linkWithCredential(anonymous, EmailAuthProvider.credential(email, 'secret123'));
    results.linked = { same: user.uid === anonymous.uid, anonymous: user.isAnonymous };
    results.unlinked = (await unlink(user, 'password')).providerData.length;
    await deleteUser(user);

    for (const [kind, token] of Object.entries(await backend.customTokens(`custom-${config.name}`))) {
        const custom = await signInWithCustomToken(auth, token);
        const claims = await getClaims(custom.user, false);
        results[`custom_${kind}`] = { uid: custom.user.uid, role: claims.role, by: claims.firebase.sign_in_provider };
    }
    await deleteUser(auth.currentUser);
    results.badCustom = await errorCode(signInWithCustomToken(auth, 'nonsense'));

    const google = JSON.stringify({ sub: `g-${config.name}`, email: `goo-${config.name}@example.com`, email_verified: true });
    const person = await signInWithCredential(auth, GoogleAuthProvider.credential(google));
    results.google = { provider: person.user.providerData[0].providerId, verified: person.user.emailVerified };
    await deleteUser(person.user);
    results.badGoogle = await errorCode(signInWithCredential(auth, GoogleAuthProvider.credential('nonsense')));
}

async function separateProjects(auth, config, results) {
    const otherProject = open(config, config.teleoKey, 'teleo');
    const unknown = open(config, 'AIzaUnknownKey', 'unknown');
    const { user } = await signInWithEmailAndPassword(auth, config.seededUser.email, config.seededUser.password);
    results.seededRole = (await getClaims(user, false)).role;
    results.seededMe = await callGateway(config, user, 'campus');
    results.tampered = (await fetch(`${config.gateway}/v1/apps/campus/me`, {
        headers: { Authorization: `Bearer ${(await user.getIdToken()).slice(0, -4)}AAAA` },
    })).status;
    results.elsewhere = await errorCode(signInWithEmailAndPassword(otherProject, config.seededUser.email, config.seededUser.password));
    results.unknownKey = await errorCode(signInWithEmailAndPassword(unknown, config.seededUser.email, config.seededUser.password));
}

export async function flow(config, backend) {
    const auth = open(config, config.campusKey, 'campus');
    const results = {};
    const ann = await passwordAccount(auth, config, backend, results);
    await resetAndLink(auth, config, backend, ann, results);
    await otherSignInMethods(auth, config, backend, results);
    await separateProjects(auth, config, results);
    return results;
}
