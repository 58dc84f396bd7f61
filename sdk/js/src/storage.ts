// SPDX-License-Identifier: Apache-2.0
// Files of the signed-in user, transferred directly between this page and the tenant's bucket: the tenant's identity pool
// exchanges the Firebase ID token for credentials that last an hour, and S3 authorizes every request made with them.
//
// Each user has one folder, users/<uid>/, which no other user reads or changes; the manifest of the app ("files") may open
// further prefixes by role. Files are created and deleted, never replaced: S3 refuses an upload without If-None-Match.
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

import type { CallOptions, StoredFile } from './index.js';
import { StorageError, toStorageError } from './storage_error.js';
import { Session, type StorageSettings } from './session.js';

export { StorageError, type Decision, type Verdict } from './storage_error.js';
export type { SignedInUser, SignIn, StorageSettings } from './session.js';

export interface Progress {
  sent: number; // In bytes.
  of: number; // Total, in bytes.
}

export interface UploadOptions extends CallOptions {
  name?: string; // Relative to the user's folder; may contain "/". Default: the name of the File.
  contentType?: string;
  onProgress?: (progress: Progress) => void;
}

export interface ListedFile extends StoredFile {
  name: string; // Relative to the folder.
  bytes: number;
  changed: Date;
}

export interface FilePage {
  items: ListedFile[];
  next: string | null;
}

const partBytes = 8 * 1024 * 1024;
const keyBytesMax = 1024; // Limit of S3.
const linkSeconds = 15 * 60;

// Error codes of S3 for credentials that are no longer valid.
const staleCredentialErrors = new Set(['ExpiredToken', 'InvalidToken', 'InvalidAccessKeyId']);

function checkName(name: string): void {
  const segments = name.split('/');
  const invalid = segments.some((segment) => segment === '' || segment === '.' || segment === '..');
  if (!invalid && !/[\u0000-\u001f\u007f]/.test(name)) return;
  throw new StorageError({
    name: 'BadName',
    message: `"${name}" is not a valid file name.`,
    remedy: 'Use a name such as "report.pdf" or "2026/report.pdf", without "..", empty segments or control characters.',
  });
}

const readBytes = async (file: Blob | Uint8Array) =>
  file instanceof Uint8Array ? file : new Uint8Array(await file.arrayBuffer());
const sizeOf = (file: Blob | Uint8Array) => (file instanceof Uint8Array ? file.byteLength : file.size);
const abortable = (options: CallOptions) => (options.signal ? { abortSignal: options.signal } : {});

export class Files {
  private readonly settings: StorageSettings;
  private readonly stopListening: () => void;
  private session: Session | undefined;

  constructor(settings: StorageSettings) {
    this.settings = settings;
    // Aborts requests in flight immediately; each call reads the current user again.
    this.stopListening = settings.auth.onAuthStateChanged(() => this.updateSession());
  }

  // Aborts requests in flight and stops following sign-ins.
  close(): void {
    this.stopListening();
    this.session?.close();
    this.session = undefined;
  }

  // Returns "users/<uid>/".
  async folder(): Promise<string> {
    return await this.run(async (_client, session) => `users/${session.user.uid}/`);
  }

  // Uploads in one request, or in parts of 8 MiB; PreconditionFailed if there is a file of that name. Returns the value for
  // a field of type `file`.
  async upload(file: Blob | Uint8Array, options: UploadOptions = {}): Promise<StoredFile> {
    const name = options.name ?? (file instanceof Blob && 'name' in file ? String(file.name) : '');
    checkName(name);
    const given = options.contentType ?? (file instanceof Blob ? file.type : '');
    const contentType = given === '' ? 'application/octet-stream' : given;
    const of = sizeOf(file);
    return await this.run(async (client, session) => {
      const key = this.keyFor(session, name);
      const params = { Bucket: this.settings.bucket, Key: key, ContentType: contentType, IfNoneMatch: '*' };
      options.onProgress?.({ sent: 0, of });
      if (of <= partBytes) {
        const Body = await readBytes(file);
        await client.send(new PutObjectCommand({ ...params, Body }), abortable(options));
        options.onProgress?.({ sent: of, of });
      } else {
        await this.uploadInParts(client, { ...params, Body: file }, options);
      }
      return { key, name: name.slice(name.lastIndexOf('/') + 1), content_type: contentType, bytes: of };
    });
  }

  // Returns a page of the user's files, or of the files under `folder` in the bucket.
  async list(options: CallOptions & { folder?: string; limit?: number; next?: string } = {}): Promise<FilePage> {
    return await this.run(async (client, session) => {
      const folder = options.folder ?? this.keyFor(session, '');
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
      this.checkInside(session, key);
      await client.send(new DeleteObjectCommand({ Bucket: this.settings.bucket, Key: key }), abortable(options));
    });
  }

  // Returns a link that lets anyone read the file until it expires, for <img> or for sharing.
  async link(key: string, seconds = linkSeconds): Promise<string> {
    return await this.run((client) =>
      getSignedUrl(client, new GetObjectCommand({ Bucket: this.settings.bucket, Key: key }), { expiresIn: seconds }),
    );
  }

  // Returns a link that lets anyone PUT this file of the user once, with the header "If-None-Match: *".
  async uploadLink(name: string, seconds = linkSeconds): Promise<string> {
    checkName(name);
    return await this.run(async (client, session) => {
      const command = new PutObjectCommand({
        Bucket: this.settings.bucket,
        Key: this.keyFor(session, name),
        IfNoneMatch: '*',
      });
      return await getSignedUrl(client, command, { expiresIn: seconds });
    });
  }

  // Runs any other S3 operation as the signed-in user. Errors are converted to StorageError.
  async withClient<Result>(work: (client: S3Client) => Promise<Result>): Promise<Result> {
    return await this.run(work);
  }

  private async run<Result>(work: (client: S3Client, session: Session) => Promise<Result>): Promise<Result> {
    const session = this.current();
    for (let retried = false; ; retried = true) {
      const client = session.client;
      try {
        const result = await work(client, session);
        session.checkPresent();
        this.updateSession();
        session.checkPresent();
        return result;
      } catch (failure) {
        session.checkPresent();
        if (!retried && staleCredentialErrors.has((failure as Error).name)) {
          session.renew(client);
          continue;
        }
        throw await toStorageError(failure, this.settings.endpoint);
      }
    }
  }

  // Returns the session of the current user, and ends the session of a previous one.
  private updateSession(): Session | undefined {
    const user = this.settings.auth.currentUser;
    if (this.session && this.session.user.uid !== user?.uid) {
      this.session.close();
      this.session = undefined;
    }
    if (user && !this.session) this.session = new Session(this.settings, user);
    return this.session;
  }

  private current(): Session {
    const session = this.updateSession();
    if (session) return session;
    throw new StorageError({ name: 'SignedOut', message: 'No user is signed in.', remedy: 'Sign in first.' });
  }

  private keyFor(session: Session, name: string): string {
    const key = `users/${session.user.uid}/${name}`;
    if (new TextEncoder().encode(key).length <= keyBytesMax) return key;
    throw new StorageError({
      name: 'BadName',
      message: 'The name of the file is too long.',
      remedy: `Use at most ${keyBytesMax} bytes, including the folder.`,
    });
  }

  private checkInside(session: Session, key: string): void {
    const folder = this.keyFor(session, '');
    if (key.startsWith(folder) && key.length > folder.length) return;
    throw new StorageError({
      name: 'OutsideOfFolder',
      message: `${key} is not in the folder of the signed-in user, ${folder}`,
      remedy: 'A file can be changed only by its owner. Upload a file of your own and store that in the record.',
    });
  }

  private async uploadInParts(
    client: S3Client,
    params: { Bucket: string; Key: string; ContentType: string; IfNoneMatch: string; Body: Blob | Uint8Array },
    options: UploadOptions,
  ): Promise<void> {
    const upload = new Upload({
      client,
      params,
      partSize: Math.max(partBytes, Math.ceil(sizeOf(params.Body) / 10_000)),
      // The role may not abort uploads, and that error would hide the original one; the bucket's lifecycle rule removes
      // incomplete uploads.
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
