// SPDX-License-Identifier: Apache-2.0
// What one signed-in user has: credentials from the identity pool, and an S3 client with them. It belongs to that user
// for good. When somebody else signs in it ends: requests under way are cut off, and nothing of it is used again.
import { S3Client } from '@aws-sdk/client-s3';
import { fromCognitoIdentityPool } from '@aws-sdk/credential-providers';

import { StorageError } from './refusal.js';

export interface SignedInUser {
  readonly uid: string;
  getIdToken(forceRefresh?: boolean): Promise<string>;
}

// Firebase's Auth, as far as it is needed here.
export interface SignIn {
  readonly currentUser: SignedInUser | null;
  onAuthStateChanged(next: (user: SignedInUser | null) => void): () => void;
}

export interface StorageSettings {
  auth: SignIn; // getAuth(app): whoever is signed in there.
  firebaseProject: string;
  identityPool: string; // "us-east-1:…"
  bucket: string;
  region?: string; // Of the bucket; that of the identity pool if it is not said.
  endpoint?: string; // Of the local cloud; AWS if it is not said.
}

// Of an S3 client, as far as its declarations agree in browsers and Node.
interface Handler {
  handle(request: unknown, options?: { abortSignal?: AbortSignal }): Promise<unknown>;
}

type Credentials = Awaited<ReturnType<ReturnType<typeof fromCognitoIdentityPool>>>;

const regionOf = (identityPool: string) => identityPool.split(':')[0] ?? '';

export class Session {
  readonly user: SignedInUser;
  private readonly settings: StorageSettings;
  private readonly end = new AbortController();
  private s3: S3Client;
  private identity: string | undefined;

  constructor(settings: StorageSettings, user: SignedInUser) {
    this.settings = settings;
    this.user = user;
    this.s3 = this.makeClient();
  }

  // Whose sign-in is told of later than it happens has no requests in between.
  get ended(): boolean {
    return this.end.signal.aborted || this.settings.auth.currentUser?.uid !== this.user.uid;
  }

  get client(): S3Client {
    return this.s3;
  }

  // Of the user in the identity pool: the same each time. Also ${cognito-identity.amazonaws.com:sub} in policies.
  async identityId(): Promise<string> {
    if (this.identity === undefined) await this.s3.config.credentials();
    this.checkPresent();
    return this.identity ?? '';
  }

  // New credentials before the old ones end: S3 no longer knows those, say because the role was made anew.
  renew(stale: S3Client): void {
    if (this.s3 === stale) this.s3 = this.makeClient();
  }

  close(): void {
    this.end.abort();
    this.s3.destroy();
  }

  checkPresent(): void {
    if (!this.ended) return;
    throw new StorageError({
      name: 'UserChanged',
      message: 'Another user signed in, or nobody is signed in any more, while this was under way.',
      remedy: 'Do it again as whoever is signed in now.',
    });
  }

  private makeClient(): S3Client {
    const { endpoint, identityPool } = this.settings;
    const client = new S3Client({
      region: this.settings.region ?? regionOf(identityPool),
      credentials: () => this.credentials(),
      // The signature covers the SHA-256 of each body. A checksum besides would have to be read from the answers to the
      // parts of an upload, and the CORS rules of the bucket show pages no more of those than the ETag.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    });
    // lib-storage gives its requests no signal, and this is where all of them pass.
    const handler = client.config.requestHandler as unknown as Handler;
    const handle = handler.handle.bind(handler);
    handler.handle = async (request, options) => {
      this.checkPresent();
      const both = options?.abortSignal ? [options.abortSignal, this.end.signal] : [this.end.signal];
      return await handle(request, { ...options, abortSignal: AbortSignal.any(both) });
    };
    return client;
  }

  // The client calls this when it has none, and again some minutes before they end. Firebase's SDK gives a token that
  // is valid by the clock of this device; if the pool thinks otherwise, a new one is asked for, once.
  private async credentials(): Promise<Credentials> {
    try {
      return await this.exchange(false);
    } catch (failure) {
      const { name, message } = failure as Error;
      if (name !== 'NotAuthorizedException' || !message.startsWith('Invalid login token')) throw failure;
      return await this.exchange(true);
    }
  }

  private async exchange(forceRefresh: boolean): Promise<Credentials> {
    this.checkPresent();
    const token = await this.user.getIdToken(forceRefresh);
    this.checkPresent();
    const { endpoint, firebaseProject, identityPool } = this.settings;
    // Without a userIdentifier, so that no identity id is left in the browser for the next user to find.
    const credentials = await fromCognitoIdentityPool({
      identityPoolId: identityPool,
      logins: { [`securetoken.google.com/${firebaseProject}`]: token },
      clientConfig: { region: regionOf(identityPool), ...(endpoint ? { endpoint } : {}) },
    })();
    this.checkPresent();
    this.identity = credentials.identityId;
    return credentials;
  }
}
