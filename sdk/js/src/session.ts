// SPDX-License-Identifier: Apache-2.0
// The storage session of one signed-in user: credentials from the identity pool, and an S3 client that uses them. It ends
// when another user signs in: requests in flight are aborted, and none of its state is reused.
import { S3Client } from '@aws-sdk/client-s3';
import { fromCognitoIdentityPool } from '@aws-sdk/credential-providers';

import { StorageError } from './storage_error.js';

export interface SignedInUser {
  readonly uid: string;
  getIdToken(forceRefresh?: boolean): Promise<string>;
}

// The part of Firebase Auth used here.
export interface SignIn {
  readonly currentUser: SignedInUser | null;
  onAuthStateChanged(next: (user: SignedInUser | null) => void): () => void;
}

export interface StorageSettings {
  auth: SignIn; // getAuth(app); its current user is the caller.
  firebaseProject: string;
  identityPool: string; // "us-east-1:…"
  bucket: string;
  region?: string; // Region of the bucket. Default: region of the identity pool.
  endpoint?: string; // URL of the local cloud. Default: AWS.
}

// Request handler of an S3 client: the part declared alike in browsers and Node.
interface Handler {
  handle(request: unknown, options?: { abortSignal?: AbortSignal }): Promise<unknown>;
}

type Credentials = Awaited<ReturnType<ReturnType<typeof fromCognitoIdentityPool>>>;

const parseRegion = (identityPool: string) => identityPool.split(':')[0] ?? '';

export class Session {
  readonly user: SignedInUser;
  private readonly settings: StorageSettings;
  private readonly ending = new AbortController();
  private s3: S3Client;

  constructor(settings: StorageSettings, user: SignedInUser) {
    this.settings = settings;
    this.user = user;
    this.s3 = this.makeClient();
  }

  // Also compares the current user, because onAuthStateChanged may be called after the user has changed.
  get ended(): boolean {
    return this.ending.signal.aborted || this.settings.auth.currentUser?.uid !== this.user.uid;
  }

  get client(): S3Client {
    return this.s3;
  }

  // Gets new credentials before the old ones expire, if S3 rejects those, for example because the role was recreated.
  renew(stale: S3Client): void {
    if (this.s3 === stale) this.s3 = this.makeClient();
  }

  close(): void {
    this.ending.abort();
    this.s3.destroy();
  }

  checkPresent(): void {
    if (!this.ended) return;
    throw new StorageError({
      name: 'UserChanged',
      message: 'The signed-in user changed during the request.',
      remedy: 'Send the request again as the current user.',
    });
  }

  private makeClient(): S3Client {
    const { endpoint, identityPool } = this.settings;
    const client = new S3Client({
      region: this.settings.region ?? parseRegion(identityPool),
      credentials: () => this.credentials(),
      // The signature covers the SHA-256 of each body. An additional checksum would have to be read from the responses to
      // upload parts, but the CORS rules of the bucket expose only the ETag.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    });
    // lib-storage passes no signal to its requests: this handler adds one to every request.
    const handler = client.config.requestHandler as unknown as Handler;
    const handle = handler.handle.bind(handler);
    handler.handle = async (request, options) => {
      this.checkPresent();
      const both = options?.abortSignal ? [options.abortSignal, this.ending.signal] : [this.ending.signal];
      return await handle(request, { ...options, abortSignal: AbortSignal.any(both) });
    };
    return client;
  }

  // Called by the client when it has no credentials, and again some minutes before they expire. The Firebase SDK returns
  // a token that is valid by the clock of this device; if the pool rejects it, a new one is requested once.
  private async credentials(): Promise<Credentials> {
    try {
      return await this.fetchCredentials(false);
    } catch (failure) {
      const { name, message } = failure as Error;
      if (name !== 'NotAuthorizedException' || !message.startsWith('Invalid login token')) throw failure;
      return await this.fetchCredentials(true);
    }
  }

  private async fetchCredentials(forceRefresh: boolean): Promise<Credentials> {
    this.checkPresent();
    const token = await this.user.getIdToken(forceRefresh);
    this.checkPresent();
    const { endpoint, firebaseProject, identityPool } = this.settings;
    // Without a userIdentifier, no identity ID is stored in the browser, where the next user could find it.
    const credentials = await fromCognitoIdentityPool({
      identityPoolId: identityPool,
      logins: { [`securetoken.google.com/${firebaseProject}`]: token },
      clientConfig: { region: parseRegion(identityPool), ...(endpoint ? { endpoint } : {}) },
    })();
    this.checkPresent();
    return credentials;
  }
}
