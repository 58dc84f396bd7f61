// SPDX-License-Identifier: Apache-2.0
// One life of a user, through the real Firebase JS SDK. Runs unchanged in Node and in a browser page, and returns
// what it saw; the tests compare. `outside` does what a client cannot: an administrator's calls, reading an e-mail.
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

async function codeOf(promise) {
    try {
        await promise;
        return 'no error';
    } catch (error) {
        return error.code ?? String(error);
    }
}

async function askGateway(config, user, app) {
    const answer = await fetch(`${config.gateway}/v1/apps/${app}/me`, {
        headers: { Authorization: `Bearer ${await user.getIdToken()}` },
    });
    return { status: answer.status, body: await answer.json() };
}

const claimsOf = async (user, refresh) => (await user.getIdTokenResult(refresh)).claims;

async function passwordLife(auth, config, outside, seen) {
    const email = `ann-${config.name}@example.com`;
    const { user } = await createUserWithEmailAndPassword(auth, email, 'secret123');
    seen.signUp = { email: user.email, anonymous: user.isAnonymous, verified: user.emailVerified };
    seen.uidLength = user.uid.length;
    seen.duplicate = await codeOf(createUserWithEmailAndPassword(auth, email.toUpperCase(), 'secret123'));
    seen.weak = await codeOf(createUserWithEmailAndPassword(auth, `b${email}`, '12345'));
    seen.malformed = await codeOf(createUserWithEmailAndPassword(auth, 'nonsense', 'secret123'));

    seen.roleBefore = (await claimsOf(user, false)).role ?? null;
    await outside.setClaims(user.uid, { role: 'registrar' });
    const before = await user.getIdToken();
    seen.roleAfter = (await claimsOf(user, true)).role;
    seen.newToken = before !== (await user.getIdToken());
    seen.me = await askGateway(config, user, 'campus');
    seen.otherApp = (await askGateway(config, user, 'teleo')).status;

    await updateProfile(user, { displayName: 'Ann A', photoURL: 'http://x/y.png' });
    seen.profile = { name: user.displayName, photo: user.photoURL };
    await sendEmailVerification(user);
    await applyActionCode(auth, await outside.oobCode(email, 'VERIFY_EMAIL'));
    await user.reload();
    seen.verified = user.emailVerified;
    await updatePassword(user, 'secret456');
    await updateEmail(user, `new-${email}`);
    await signOut(auth);

    seen.wrongPassword = await codeOf(signInWithEmailAndPassword(auth, `new-${email}`, 'wrong-one'));
    seen.unknownUser = await codeOf(signInWithEmailAndPassword(auth, `nobody-${email}`, 'wrong-one'));
    const again = await signInWithEmailAndPassword(auth, `new-${email}`, 'secret456');
    seen.sameUid = again.user.uid === user.uid;
    seen.policy = (await validatePassword(auth, '12345')).isValid;
    await signOut(auth);
    return { email: `new-${email}`, password: 'secret456', uid: user.uid };
}

async function resetAndLink(auth, config, outside, ann, seen) {
    await sendPasswordResetEmail(auth, ann.email);
    const code = await outside.oobCode(ann.email, 'PASSWORD_RESET');
    seen.resetFor = (await verifyPasswordResetCode(auth, code)) === ann.email;
    await confirmPasswordReset(auth, code, 'secret789');
    seen.usedCode = await codeOf(confirmPasswordReset(auth, code, 'secret000'));
    seen.oldPassword = await codeOf(signInWithEmailAndPassword(auth, ann.email, ann.password));
    seen.afterReset = (await signInWithEmailAndPassword(auth, ann.email, 'secret789')).user.uid === ann.uid;

    const linked = `link-${config.name}@example.com`;
    await sendSignInLinkToEmail(auth, linked, { url: 'http://localhost/done', handleCodeInApp: true });
    const linkCode = await outside.oobCode(linked, 'EMAIL_SIGNIN');
    const link = `http://localhost/done?mode=signIn&oobCode=${linkCode}&apiKey=${config.campusKey}`;
    seen.isLink = isSignInWithEmailLink(auth, link);
    seen.link = (await signInWithEmailLink(auth, linked, link)).user.email === linked;
    await deleteUser(auth.currentUser);
    await signInWithEmailAndPassword(auth, ann.email, 'secret789');
    await deleteUser(auth.currentUser);
    seen.deleted = await codeOf(signInWithEmailAndPassword(auth, ann.email, 'secret789'));
}

async function otherWaysIn(auth, config, outside, seen) {
    const anonymous = (await signInAnonymously(auth)).user;
    seen.anonymous = anonymous.isAnonymous;
    const email = `link-later-${config.name}@example.com`;
    const { user } = await linkWithCredential(anonymous, EmailAuthProvider.credential(email, 'secret123'));
    seen.linked = { same: user.uid === anonymous.uid, anonymous: user.isAnonymous };
    seen.unlinked = (await unlink(user, 'password')).providerData.length;
    await deleteUser(user);

    for (const [kind, token] of Object.entries(await outside.customTokens(`custom-${config.name}`))) {
        const custom = await signInWithCustomToken(auth, token);
        const claims = await claimsOf(custom.user, false);
        seen[`custom_${kind}`] = { uid: custom.user.uid, role: claims.role, by: claims.firebase.sign_in_provider };
    }
    await deleteUser(auth.currentUser);
    seen.badCustom = await codeOf(signInWithCustomToken(auth, 'nonsense'));

    const google = JSON.stringify({ sub: `g-${config.name}`, email: `goo-${config.name}@example.com`, email_verified: true });
    const person = await signInWithCredential(auth, GoogleAuthProvider.credential(google));
    seen.google = { provider: person.user.providerData[0].providerId, verified: person.user.emailVerified };
    await deleteUser(person.user);
    seen.badGoogle = await codeOf(signInWithCredential(auth, GoogleAuthProvider.credential('nonsense')));
}

async function projectsApart(auth, config, seen) {
    const stranger = open(config, config.teleoKey, 'teleo');
    const unknown = open(config, 'AIzaNobodyHasThisKey', 'unknown');
    const { user } = await signInWithEmailAndPassword(auth, config.ready.email, config.ready.password);
    seen.readyRole = (await claimsOf(user, false)).role;
    seen.readyMe = await askGateway(config, user, 'campus');
    seen.tampered = (await fetch(`${config.gateway}/v1/apps/campus/me`, {
        headers: { Authorization: `Bearer ${(await user.getIdToken()).slice(0, -4)}AAAA` },
    })).status;
    seen.elsewhere = await codeOf(signInWithEmailAndPassword(stranger, config.ready.email, config.ready.password));
    seen.unknownKey = await codeOf(signInWithEmailAndPassword(unknown, config.ready.email, config.ready.password));
}

export async function flow(config, outside) {
    const auth = open(config, config.campusKey, 'campus');
    const seen = {};
    const ann = await passwordLife(auth, config, outside, seen);
    await resetAndLink(auth, config, outside, ann, seen);
    await otherWaysIn(auth, config, outside, seen);
    await projectsApart(auth, config, seen);
    return seen;
}
