// SPDX-License-Identifier: Apache-2.0
// The local S3 with the unmodified AWS SDK for JavaScript.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

const bucket = 'media-bucket';
let folder, server, endpoint, client;

function makeClient(options = {}) {
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
    ...options,
  });
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'integreat-s3-'));
  server = spawn(process.env.INTEGREAT_S3_SERVER, [join(folder, 'data'), '2'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(server.stdout, 'data');
  endpoint = `http://127.0.0.1:${String(line).trim()}`;
  client = makeClient();
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
});

after(async () => {
  server.stdin.end();
  await once(server, 'exit');
  await rm(folder, { recursive: true });
});

const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');

test('content, metadata and a checksum verified by the SDK are returned', async () => {
  const put = await client.send(
    new PutObjectCommand({ Bucket: bucket, Key: 'p/a b+c é.txt', Body: 'hello world', Metadata: { a: '1' }, ContentType: 'text/plain' }),
  );
  assert.equal(put.ETag, '"5eb63bbbe01eeed093cb22bb8f5acdc3"');
  assert.equal(put.ChecksumCRC32, 'DUoRhQ==');
  const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'p/a b+c é.txt' }));
  assert.equal(await got.Body.transformToString(), 'hello world');
  assert.equal(got.Metadata.a, '1');
  assert.equal(got.ContentType, 'text/plain');
  assert.equal(got.ChecksumCRC32, 'DUoRhQ==');
  const range = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'p/a b+c é.txt', Range: 'bytes=2-5' }));
  assert.equal(await range.Body.transformToString(), 'llo ');
  assert.equal(range.ContentRange, 'bytes 2-5/11');
});

test('every checksum algorithm of the SDK is verified and stored', async () => {
  for (const algorithm of ['CRC32', 'CRC32C', 'SHA1', 'SHA256', 'CRC64NVME']) {
    const put = await client.send(
      new PutObjectCommand({ Bucket: bucket, Key: algorithm, Body: 'hello world', ChecksumAlgorithm: algorithm }),
    );
    assert.ok(put[`Checksum${algorithm}`], algorithm);
    const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: algorithm, ChecksumMode: 'ENABLED' }));
    assert.equal(await got.Body.transformToString(), 'hello world', algorithm);
  }
});

test('a stream of unknown hash is sent with a trailer and verified', async () => {
  const bytes = randomBytes(3 * 1024 * 1024);
  const body = Readable.from([bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)]);
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'stream', Body: body, ContentLength: bytes.length }));
  const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'stream' }));
  assert.equal(sha(await got.Body.transformToByteArray()), sha(bytes));
  assert.equal(got.ContentEncoding, undefined);
});

test('lib-storage uploads 200 MB from a stream in parts, unchanged', async () => {
  const part = randomBytes(1024 * 1024);
  const count = 200;
  const expected = createHash('sha256');
  async function* chunks() {
    for (let i = 0; i < count; ++i) {
      part.writeUInt32BE(i, 0);
      const copy = Buffer.from(part);
      expected.update(copy);
      yield copy;
    }
  }
  const upload = new Upload({
    client,
    params: { Bucket: bucket, Key: 'large', Body: Readable.from(chunks()) },
    partSize: 8 * 1024 * 1024,
    queueSize: 4,
  });
  const done = await upload.done();
  assert.match(done.ETag, /-25"$/);
  const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'large' }));
  assert.equal(got.ContentLength, count * part.length);
  const actual = createHash('sha256');
  for await (const chunk of got.Body) actual.update(chunk);
  assert.equal(actual.digest('hex'), expected.digest('hex'));
});

test('listings have common prefixes and pages', async () => {
  for (const key of ['l/1', 'l/2', 'l/x/1', 'l/x/2', 'l/3'])
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: key }));
  const rolled = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'l/', Delimiter: '/' }));
  assert.deepEqual(rolled.Contents.map((one) => one.Key), ['l/1', 'l/2', 'l/3']);
  assert.deepEqual(rolled.CommonPrefixes, [{ Prefix: 'l/x/' }]);
  assert.ok(rolled.Contents[0].LastModified instanceof Date);
  const keys = [];
  for await (const page of paginateListObjectsV2({ client, pageSize: 2 }, { Bucket: bucket, Prefix: 'l/' }))
    keys.push(...page.Contents.map((one) => one.Key));
  assert.deepEqual(keys, ['l/1', 'l/2', 'l/3', 'l/x/1', 'l/x/2']);
  const buckets = await client.send(new ListBucketsCommand({}));
  assert.deepEqual(buckets.Buckets.map((one) => one.Name), [bucket]);
});

test('copies, deletes and batches', async () => {
  for (const key of ['l/1', 'l/2', 'l/3'])
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: key }));
  await client.send(new CopyObjectCommand({ Bucket: bucket, Key: 'copy', CopySource: `${bucket}/l/1` }));
  const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'copy' }));
  assert.equal(await got.Body.transformToString(), 'l/1');
  await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'copy' }));
  const batch = await client.send(
    new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: [{ Key: 'l/1' }, { Key: 'l/2' }] } }),
  );
  assert.equal(batch.Deleted.length, 2);
  await assert.rejects(client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'l/1' })), { name: 'NotFound' });
  await assert.rejects(client.send(new GetObjectCommand({ Bucket: bucket, Key: 'l/1' })), { name: 'NoSuchKey', Key: 'l/1' });
  await assert.rejects(
    client.send(new PutObjectCommand({ Bucket: bucket, Key: 'l/3', Body: 'x', IfNoneMatch: '*' })),
    { name: 'PreconditionFailed' },
  );
});

test('presigned URLs work only unchanged', async () => {
  const put = await getSignedUrl(client, new PutObjectCommand({ Bucket: bucket, Key: 'presigned' }), { expiresIn: 60 });
  assert.equal((await fetch(put, { method: 'PUT', body: 'by a browser' })).status, 200);
  const get = await getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: 'presigned' }), { expiresIn: 60 });
  const response = await fetch(get);
  assert.equal(await response.text(), 'by a browser');
  assert.equal((await fetch(get.replace('presigned?', 'large?'))).status, 403);
  assert.equal((await fetch(get.replace('X-Amz-Expires=60', 'X-Amz-Expires=6000'))).status, 403);
});

test('a presigned form uploads what its policy allows', async () => {
  const { url, fields } = await createPresignedPost(client, {
    Bucket: bucket,
    Key: 'forms/${filename}',
    Conditions: [['content-length-range', 1, 20], ['starts-with', '$Content-Type', 'text/']],
    Fields: { 'Content-Type': 'text/plain' },
    Expires: 60,
  });
  const send = (bytes, more = {}) => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...fields, ...more })) form.append(name, value);
    form.append('file', new Blob([bytes]), 'me.txt');
    return fetch(url, { method: 'POST', body: form });
  };
  assert.equal((await send('from a form')).status, 204);
  const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'forms/me.txt' }));
  assert.equal(await got.Body.transformToString(), 'from a form');
  assert.equal(got.ContentType, 'text/plain');
  const large = await send('x'.repeat(21));
  assert.equal(large.status, 400);
  assert.match(await large.text(), /EntityTooLarge/);
  assert.match(await (await send('x', { 'Content-Type': 'image/png' })).text(), /Policy Condition failed/);
  assert.match(await (await send('x', { 'X-Amz-Signature': '00' })).text(), /SignatureDoesNotMatch/);
});

test('virtual hosts name the bucket', async () => {
  // Browsers resolve every name below localhost themselves; the resolver of Node may not.
  const lookup = (name, options, done) =>
    options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
  const hosted = makeClient({
    endpoint: endpoint.replace('127.0.0.1', 'localhost'),
    requestHandler: { httpAgent: new Agent({ lookup }) },
  });
  await hosted.send(new PutObjectCommand({ Bucket: bucket, Key: 'hosted', Body: 'x' }));
  const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'hosted' }));
  assert.equal(await got.Body.transformToString(), 'x');
});

test('versions are stored and read by their ids', async () => {
  const kept = 'kept-bucket';
  await client.send(new CreateBucketCommand({ Bucket: kept }));
  await client.send(
    new PutBucketVersioningCommand({ Bucket: kept, VersioningConfiguration: { Status: 'Enabled' } }),
  );
  const first = await client.send(new PutObjectCommand({ Bucket: kept, Key: 'k', Body: '1' }));
  await client.send(new PutObjectCommand({ Bucket: kept, Key: 'k', Body: '2' }));
  await client.send(new DeleteObjectCommand({ Bucket: kept, Key: 'k' }));
  const listed = await client.send(new ListObjectVersionsCommand({ Bucket: kept }));
  assert.equal(listed.Versions.length, 2);
  assert.equal(listed.DeleteMarkers.length, 1);
  const old = await client.send(new GetObjectCommand({ Bucket: kept, Key: 'k', VersionId: first.VersionId }));
  assert.equal(await old.Body.transformToString(), '1');
});
