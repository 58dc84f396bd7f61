// SPDX-License-Identifier: Apache-2.0
// The sign-in flow with unmodified SDKs: Firebase sign-in, the exchange of the ID token for AWS credentials at the
// identity pool of the tenant, requests to S3 with them; and the errors that an application can get.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CognitoIdentityClient, GetIdCommand } from '@aws-sdk/client-cognito-identity';
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromCognitoIdentityPool } from '@aws-sdk/credential-providers';
import { Upload } from '@aws-sdk/lib-storage';
import { deleteApp, initializeApp } from 'firebase/app';
import { connectAuthEmulator, getAuth, signInWithEmailAndPassword } from 'firebase/auth';

import { campus, ready, teleo } from './ready.js';

const region = 'us-east-1';
const cloud = { region, endpoint: ready.aws };

async function signIn(tenant) {
    const app = initializeApp({ apiKey: tenant.firebase_api_key, projectId: tenant.firebase_project }, `x-${Math.random()}`);
    const auth = getAuth(app);
    connectAuthEmulator(auth, ready.firebase, { disableWarnings: true });
    const [user] = tenant.users;
    const signedIn = await signInWithEmailAndPassword(auth, user.email, user.password);
    return { app, token: () => signedIn.user.getIdToken() };
}

const provider = (tenant) => `securetoken.google.com/${tenant.firebase_project}`;

function credentials(tenant, token, pool = tenant.identity_pool) {
    return fromCognitoIdentityPool({
        identityPoolId: pool,
        logins: { [provider(tenant)]: token },
        clientConfig: cloud,
    });
}

const makeS3Client = (credentials) => new S3Client({ ...cloud, forcePathStyle: true, credentials });

const refusal = (promise) => promise.then(() => assert.fail('was not refused'), (error) => error);

test('a user signed in with Firebase reads and writes the bucket of the tenant, and no other', async () => {
    const { app, token } = await signIn(campus);
    try {
        const s3 = makeS3Client(credentials(campus, token));
        const Bucket = campus.bucket;
        const { sub: uid } = JSON.parse(Buffer.from((await token()).split('.')[1], 'base64url'));
        const folder = `users/${uid}/`;
        const small = { Bucket, Key: `${folder}a b+c.txt` };
        await s3.send(new PutObjectCommand({ ...small, Body: 'hello', ContentType: 'text/plain', IfNoneMatch: '*' }));
        const got = await s3.send(new GetObjectCommand(small));
        assert.equal(await got.Body.transformToString(), 'hello');
        const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: folder }));
        assert.deepEqual(listed.Contents.map(({ Key }) => Key), [small.Key]);
        const large = new Uint8Array(12 * 1024 * 1024).fill(7);
        await new Upload({ client: s3, params: { Bucket, Key: `${folder}large`, Body: large, IfNoneMatch: '*' } }).done();
        const back = await s3.send(new GetObjectCommand({ Bucket, Key: `${folder}large`, Range: 'bytes=5242879-5242881' }));
        assert.deepEqual([...(await back.Body.transformToByteArray())], [7, 7, 7]);
        for (const Key of [`${folder}large`, small.Key]) await s3.send(new DeleteObjectCommand({ Bucket, Key }));

        const sts = new STSClient({ ...cloud, credentials: credentials(campus, token) });
        const identity = await sts.send(new GetCallerIdentityCommand({}));
        assert.equal(
            identity.Arn,
            `arn:aws:sts::000000000000:assumed-role/${campus.firebase_project}-TenantUserRole/CognitoIdentityCredentials`,
        );
        for (const command of [
            new GetObjectCommand({ Bucket: teleo.bucket, Key: 'a' }),
            new PutObjectCommand({ Bucket: teleo.bucket, Key: 'a', Body: 'x' }),
            new ListObjectsV2Command({ Bucket: teleo.bucket }),
        ]) {
            const error = await refusal(s3.send(command));
            assert.equal(error.name, 'AccessDenied');
            assert.match(error.message, /is not authorized to perform: s3:\w+ on resource/);
        }
    } finally {
        await deleteApp(app);
    }
});

test("a token of another tenant, a changed token and no token get the errors of AWS", async () => {
    const { app, token } = await signIn(campus);
    try {
        const foreign = await refusal(credentials(campus, token, teleo.identity_pool)());
        assert.equal(foreign.name, 'NotAuthorizedException');
        assert.equal(foreign.message, 'Token is not from a supported provider of this identity pool.');

        const good = await token();
        const [header, payload, signature] = good.split('.');
        const claims = JSON.parse(Buffer.from(payload, 'base64url'));
        const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'another-user' })).toString('base64url');
        const changed = await refusal(credentials(campus, `${header}.${forged}.${signature}`)());
        assert.equal(changed.message, 'Invalid login token. Token signature invalid.');

        const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
        const unsigned = await refusal(credentials(campus, `${none}.${payload}.`)());
        assert.equal(unsigned.message, "Invalid login token. Couldn't verify signed token.");

        const cognito = new CognitoIdentityClient({ ...cloud, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
        const anonymous = await refusal(cognito.send(new GetIdCommand({ IdentityPoolId: campus.identity_pool })));
        assert.equal(anonymous.message, 'Unauthenticated access is not supported for this identity pool.');

        // The role trusts the pool, not the issuer.
        const sts = new STSClient({ ...cloud, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
        const direct = await refusal(
            sts.send(
                new AssumeRoleWithWebIdentityCommand({
                    RoleArn: `arn:aws:iam::000000000000:role/${campus.firebase_project}-TenantUserRole`,
                    RoleSessionName: 'direct',
                    WebIdentityToken: good,
                }),
            ),
        );
        assert.equal(direct.Code, 'AccessDenied');
        assert.equal(direct.message, 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
    } finally {
        await deleteApp(app);
    }
});
