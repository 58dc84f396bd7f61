// SPDX-License-Identifier: Apache-2.0
// Why something with files did not work, and what to change. AWS says a name and a sentence; the local cloud also
// says which statement of which policy decided (GET /_integreat/decisions/{request id}), what `integreat why` prints.

export interface Verdict {
  allowed: boolean;
  action: string; // "s3:GetObject"
  resource: string; // An ARN.
  reason: string;
}

// What the local cloud wrote down about a refusal. On AWS there is none.
export interface Decision {
  request_id: string;
  caller: string; // An ARN, or "anonymous".
  authentication: string; // What was wrong with the signature; empty if nothing.
  verdicts: Verdict[];
  explanation: string; // All of it, to read.
}

export interface Refusal {
  name: string;
  message: string;
  remedy: string;
  status?: number | undefined;
  requestId?: string | undefined;
  decision?: Decision | undefined;
  cause?: unknown;
}

// `name` is AWS's own ("AccessDenied") or one of ours: SignedOut, UserChanged, OutsideOfFolder, BadName, Unreachable.
export class StorageError extends Error {
  readonly remedy: string; // What to change so that it works.
  readonly status: number | undefined;
  readonly requestId: string | undefined; // For `integreat why`.
  readonly decision: Decision | undefined;

  constructor(refusal: Refusal) {
    super(refusal.message, { cause: refusal.cause });
    this.name = refusal.name;
    this.remedy = refusal.remedy;
    this.status = refusal.status;
    this.requestId = refusal.requestId;
    this.decision = refusal.decision;
  }
}

// Name, what its sentence begins with or contains (empty: anything), remedy. The first that fits.
const remedies: readonly (readonly [string, string, string])[] = [
  ['AccessDenied', 'explicit deny', 'A policy says Deny, which no Allow overrules: change that statement, or do without.'],
  ['AccessDenied', 'Request has expired', 'The link is too old: make a new one.'],
  [
    'AccessDenied',
    '',
    "The role of signed-in users allows to list, read, write and delete in the bucket of their own tenant, and nothing else. Use that bucket, or have the role's policy changed (IamStack of the tenant).",
  ],
  [
    'NotAuthorizedException',
    'not from a supported provider',
    "The identity pool trusts another Firebase project: sign in to the app's own project, or use the identity pool of the app.",
  ],
  ['NotAuthorizedException', 'Invalid login token', 'Sign in again. If that does not help, the clock of this device is wrong.'],
  ['NotAuthorizedException', 'Unauthenticated access', 'Sign in first.'],
  ['NotAuthorizedException', '', 'Sign in again with an account of this app.'],
  ['ResourceNotFoundException', '', 'There is no such identity pool (any more): read the settings of the app again.'],
  [
    'InvalidIdentityPoolConfigurationException',
    '',
    "The pool has no role for signed-in users, or the role's trust policy names another pool: see the IamStack of the tenant.",
  ],
  ['NoSuchBucket', '', 'The bucket of the tenant does not exist: deploy its StorageStack.'],
  ['NoSuchKey', '', 'There is no such file (any more).'],
  ['NotFound', '', 'There is no such file (any more).'],
  ['ExpiredToken', '', 'Sign in again.'],
  ['InvalidToken', '', 'Sign in again.'],
  ['InvalidAccessKeyId', '', 'Sign in again.'],
  ['RequestTimeTooSkewed', '', 'The clock of this device is more than 15 minutes wrong: set it.'],
  ['SignatureDoesNotMatch', '', 'The request was changed on its way, or the link is not as it was made: use it unchanged.'],
  ['EntityTooLarge', '', 'The file is larger than is allowed here.'],
  ['SlowDown', '', 'Too much at once: try again in a moment.'],
  ['TooManyRequestsException', '', 'Too much at once: try again in a moment.'],
];

export function remedyFor(name: string, message: string): string {
  const found = remedies.find(([one, part]) => one === name && message.includes(part));
  return found?.[2] ?? 'Ask an operator, and give the request id.';
}

interface AwsFailure {
  name: string;
  message: string;
  $metadata?: { httpStatusCode?: number; requestId?: string };
  RequestId?: string;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

async function decisionOf(endpoint: string, requestId: string): Promise<Decision | undefined> {
  // What explains must not become the failure: without the local cloud's words, AWS's own are there.
  const answer = await fetch(`${endpoint}/_integreat/decisions/${encodeURIComponent(requestId)}`).catch(() => undefined);
  if (!answer?.ok) return undefined;
  return (await answer.json().catch(() => undefined)) as Decision | undefined;
}

// Whatever an SDK threw, explained. `endpoint` is that of the local cloud; on AWS there is none.
export async function explained(failure: unknown, endpoint?: string): Promise<StorageError> {
  if (failure instanceof StorageError) return failure;
  const error = failure as AwsFailure;
  const name = text(error.name) || 'Error';
  const message = text(error.message) || String(failure);
  const status = error.$metadata?.httpStatusCode;
  const requestId = error.$metadata?.requestId ?? error.RequestId;
  if (status === undefined && name !== 'AbortError') {
    return new StorageError({
      name: 'Unreachable',
      message,
      remedy:
        "The cloud did not answer. If it runs, the bucket does not let pages of this address in: add it to cors.origins in the app's manifest.",
      cause: failure,
    });
  }
  const decision = endpoint && requestId ? await decisionOf(endpoint, requestId) : undefined;
  const remedy = name === 'AbortError' ? 'It was stopped; begin anew.' : remedyFor(name, message);
  return new StorageError({ name, message, remedy, status, requestId, decision, cause: failure });
}
