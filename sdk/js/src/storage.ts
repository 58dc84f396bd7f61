// SPDX-License-Identifier: Apache-2.0
// Files of the signed-in user, straight between this page and the tenant's bucket: the Firebase ID token is exchanged at
// the tenant's identity pool for credentials that last an hour, and S3 checks every request made with them.
//
// Whatever a user uploads lies in a folder of their own, users/<identity id>/. Reading goes wherever the role of signed-in
// users allows it, so that records can name files for others to read; writing leaves the folder never.
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createPresignedPost, type PresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

import type { CallOptions, StoredFile } from './index.js';
import { explained, StorageError } from './refusal.js';
import { Session, type StorageSettings } from './session.js';

export { StorageError, type Decision, type Verdict } from './refusal.js';
export type { SignedInUser, SignIn, StorageSettings } from './session.js';

export interface Progress {
  sent: number; // Bytes.
  of: number;
}

export interface UploadOptions extends CallOptions {
  name?: string; // Within the user's folder, may contain "/"; that of a File if it is not said.
  contentType?: string;
  onProgress?: (progress: Progress) => void;
}

export interface ListedFile extends StoredFile {
  name: string; // Within the folder.
  bytes: number;
  changed: Date;
}

export interface FilePage {
  items: ListedFile[];
  next: string | null;
}

const partBytes = 8 * 1024 * 1024;
const keyBytesMax = 1024; // Of S3.
const linkSeconds = 15 * 60;

// What S3 says of credentials that it does not take any more.
const stale = new Set(['ExpiredToken', 'InvalidToken', 'InvalidAccessKeyId']);

function checkName(name: string): void {
  const segments = name.split('/');
  const strange = segments.some((segment) => segment === '' || segment === '.' || segment === '..');
  if (!strange && !/[\u0000-\u001f\u007f]/.test(name)) return;
  throw new StorageError({
    name: 'BadName',
    message: `"${name}" cannot be the name of a file.`,
    remedy: 'Give a name such as "report.pdf" or "2026/report.pdf", without "..", empty parts or control characters.',
  });
}

const bytesOf = async (file: Blob | Uint8Array) =>
  file instanceof Uint8Array ? file : new Uint8Array(await file.arrayBuffer());
const sizeOf = (file: Blob | Uint8Array) => (file instanceof Uint8Array ? file.byteLength : file.size);
const abortable = (options: CallOptions) => (options.signal ? { abortSignal: options.signal } : {});

export class Files {
  private readonly settings: StorageSettings;
  private readonly stopListening: () => void;
  private session: Session | undefined;

  constructor(settings: StorageSettings) {
    this.settings = settings;
    // So that what is under way ends at once; who may do something is looked up again for each call.
    this.stopListening = settings.auth.onAuthStateChanged(() => this.follow());
  }

  // Ends what is under way, and the following of sign-ins.
  close(): void {
    this.stopListening();
    this.session?.close();
    this.session = undefined;
  }

  // "users/<identity id>/"
  async folder(): Promise<string> {
    return await this.run(async (_client, session) => `users/${await session.identityId()}/`);
  }

  // In one request, or in parts of 8 MiB. What it returns is what a record keeps in a field of type `file`.
  async upload(file: Blob | Uint8Array, options: UploadOptions = {}): Promise<StoredFile> {
    const name = options.name ?? (file instanceof Blob && 'name' in file ? String(file.name) : '');
    checkName(name);
    const given = options.contentType ?? (file instanceof Blob ? file.type : '');
    const contentType = given === '' ? 'application/octet-stream' : given;
    const of = sizeOf(file);
    return await this.run(async (client, session) => {
      const key = await this.keyFor(session, name);
      const params = { Bucket: this.settings.bucket, Key: key, ContentType: contentType };
      options.onProgress?.({ sent: 0, of });
      if (of <= partBytes) {
        const Body = await bytesOf(file);
        await client.send(new PutObjectCommand({ ...params, Body }), abortable(options));
        options.onProgress?.({ sent: of, of });
      } else {
        await this.uploadInParts(client, { ...params, Body: file }, options);
      }
      return { key, name: name.slice(name.lastIndexOf('/') + 1), content_type: contentType, bytes: of };
    });
  }

  // The user's own files, or those below `folder` of the bucket, a page at a time.
  async list(options: CallOptions & { folder?: string; limit?: number; next?: string } = {}): Promise<FilePage> {
    return await this.run(async (client, session) => {
      const folder = options.folder ?? (await this.keyFor(session, ''));
      const listed = await client.send(
        new ListObjectsV2Command({
          Bucket: this.settings.bucket,
          Prefix: folder,
          MaxKeys: options.limit,
          ContinuationToken: options.next,
        }),
        abortable(options),
      );
      const items = (listed.Contents ?? []).map(({ Key = '', Size = 0, LastModified = new Date(0) }) => ({
        key: Key,
        name: Key.slice(folder.length),
        bytes: Size,
        changed: LastModified,
      }));
      return { items, next: listed.NextContinuationToken ?? null };
    });
  }

  async download(key: string, options: CallOptions = {}): Promise<Blob> {
    return await this.run(async (client) => {
      const command = new GetObjectCommand({ Bucket: this.settings.bucket, Key: key });
      const got = await client.send(command, abortable(options));
      const bytes = (await got.Body?.transformToByteArray()) ?? new Uint8Array();
      return new Blob([bytes as Uint8Array<ArrayBuffer>], { type: got.ContentType ?? '' });
    });
  }

  async delete(key: string, options: CallOptions = {}): Promise<void> {
    await this.run(async (client, session) => {
      await this.checkInside(session, key);
      await client.send(new DeleteObjectCommand({ Bucket: this.settings.bucket, Key: key }), abortable(options));
    });
  }

  // A link with which anybody may read the file, until it is old: for <img>, or to hand on.
  async link(key: string, seconds = linkSeconds): Promise<string> {
    return await this.run((client) =>
      getSignedUrl(client, new GetObjectCommand({ Bucket: this.settings.bucket, Key: key }), { expiresIn: seconds }),
    );
  }

  // A link to which anybody may PUT this one file of the user.
  async uploadLink(name: string, seconds = linkSeconds): Promise<string> {
    checkName(name);
    return await this.run(async (client, session) => {
      const Key = await this.keyFor(session, name);
      return await getSignedUrl(client, new PutObjectCommand({ Bucket: this.settings.bucket, Key }), { expiresIn: seconds });
    });
  }

  // A form with which anybody may POST this one file, at most `bytesMax` large.
  async uploadForm(name: string, bytesMax: number, seconds = linkSeconds): Promise<PresignedPost> {
    checkName(name);
    return await this.run(async (client, session) =>
      createPresignedPost(client, {
        Bucket: this.settings.bucket,
        Key: await this.keyFor(session, name),
        Conditions: [['content-length-range', 0, bytesMax]],
        Expires: seconds,
      }),
    );
  }

  // Whatever else S3 can do, as the user who is signed in; refusals are explained here, too.
  async ask<Answer>(work: (client: S3Client) => Promise<Answer>): Promise<Answer> {
    return await this.run(work);
  }

  private async run<Answer>(work: (client: S3Client, session: Session) => Promise<Answer>): Promise<Answer> {
    const session = this.current();
    for (let again = false; ; again = true) {
      const client = session.client;
      try {
        const answer = await work(client, session);
        session.checkPresent();
        this.follow();
        session.checkPresent();
        return answer;
      } catch (failure) {
        session.checkPresent();
        if (!again && stale.has((failure as Error).name)) {
          session.renew(client);
          continue;
        }
        throw await explained(failure, this.settings.endpoint);
      }
    }
  }

  // The session of whoever is signed in at this moment; that of anybody else ends here.
  private follow(): Session | undefined {
    const user = this.settings.auth.currentUser;
    if (this.session && this.session.user.uid !== user?.uid) {
      this.session.close();
      this.session = undefined;
    }
    if (user && !this.session) this.session = new Session(this.settings, user);
    return this.session;
  }

  private current(): Session {
    const session = this.follow();
    if (session) return session;
    throw new StorageError({ name: 'SignedOut', message: 'Nobody is signed in.', remedy: 'Sign in first.' });
  }

  private async keyFor(session: Session, name: string): Promise<string> {
    const key = `users/${await session.identityId()}/${name}`;
    if (new TextEncoder().encode(key).length <= keyBytesMax) return key;
    throw new StorageError({
      name: 'BadName',
      message: 'The name of the file is too long.',
      remedy: `With the folder it may have at most ${keyBytesMax} bytes.`,
    });
  }

  private async checkInside(session: Session, key: string): Promise<void> {
    const folder = await this.keyFor(session, '');
    if (key.startsWith(folder) && key.length > folder.length) return;
    throw new StorageError({
      name: 'OutsideOfFolder',
      message: `${key} is not in the folder of the signed-in user, ${folder}`,
      remedy: 'Only its owner changes a file. Upload one of your own and let the record name that.',
    });
  }

  private async uploadInParts(
    client: S3Client,
    params: { Bucket: string; Key: string; ContentType: string; Body: Blob | Uint8Array },
    options: UploadOptions,
  ): Promise<void> {
    const upload = new Upload({
      client,
      params,
      partSize: Math.max(partBytes, Math.ceil(sizeOf(params.Body) / 10_000)),
      // The role may not abort uploads, and that refusal would hide the real one; the bucket's life cycle clears them.
      leavePartsOnError: true,
    });
    upload.on('httpUploadProgress', ({ loaded = 0 }) =>
      options.onProgress?.({ sent: loaded, of: sizeOf(params.Body) }),
    );
    const stop = () => void upload.abort();
    options.signal?.addEventListener('abort', stop);
    try {
      if (options.signal?.aborted) stop();
      await upload.done();
    } finally {
      options.signal?.removeEventListener('abort', stop);
    }
  }
}
