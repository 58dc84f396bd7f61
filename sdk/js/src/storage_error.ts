// SPDX-License-Identifier: Apache-2.0
// Errors of file operations, with a remedy. AWS returns an error code and a message; the local cloud also returns the
// policy statement that decided (GET /_integreat/decisions/{request id}), as printed by `integreat why`.

export interface Verdict {
  allowed: boolean;
  action: string; // "s3:GetObject"
  resource: string; // An ARN.
  reason: string;
}

// The local cloud's record of a denied request. AWS has none.
export interface Decision {
  request_id: string;
  caller: string; // An ARN, or "anonymous".
  authentication: string; // Error of the signature; empty if it is valid.
  verdicts: Verdict[];
  explanation: string; // Complete explanation as plain text.
}

export interface StorageErrorDetails {
  name: string;
  message: string;
  remedy: string;
  status?: number | undefined;
  requestId?: string | undefined;
  decision?: Decision | undefined;
  cause?: unknown;
}

// `name` is the AWS error code ("AccessDenied") or one of SignedOut, UserChanged, OutsideOfFolder, BadName, Unreachable.
export class StorageError extends Error {
  readonly remedy: string; // A sentence about the fix.
  readonly status: number | undefined;
  readonly requestId: string | undefined; // Argument of `integreat why`.
  readonly decision: Decision | undefined;

  constructor(details: StorageErrorDetails) {
    super(details.message, { cause: details.cause });
    this.name = details.name;
    this.remedy = details.remedy;
    this.status = details.status;
    this.requestId = details.requestId;
    this.decision = details.decision;
  }
}

// Error code, text contained in the message (empty matches any), and remedy. The first match applies.
const remedies: readonly (readonly [string, string, string])[] = [
  [
    'AccessDenied',
    's3:PutObject on resource',
    'A file is created in the folder of its user, users/<uid>/, or where "files" of the manifest lets the role write, and only with the header "If-None-Match: *".',
  ],
  ['AccessDenied', 'explicit deny', 'An explicit Deny overrides every Allow: change that statement.'],
  ['AccessDenied', 'Request has expired', 'The link has expired: create a new one.'],
  [
    'AccessDenied',
    '',
    "There is no such file, or it belongs to another user. Users list, read, write and delete files in their own folder, users/<uid>/, in the bucket of their own tenant; \"files\" of the manifest opens more by role, and a file of a record is opened by the record's rules.",
  ],
  [
    'NotAuthorizedException',
    'not from a supported provider',
    "The identity pool trusts another Firebase project: sign in to the app's own project, or use the identity pool of the app.",
  ],
  ['NotAuthorizedException', 'Invalid login token', 'Sign in again. If that does not help, the clock of this device is wrong.'],
  ['NotAuthorizedException', 'Unauthenticated access', 'Sign in first.'],
  ['NotAuthorizedException', '', 'Sign in again with an account of this app.'],
  ['ResourceNotFoundException', '', 'There is no such identity pool: reload the settings of the app.'],
  [
    'InvalidIdentityPoolConfigurationException',
    '',
    "The pool has no role for signed-in users, or the role's trust policy names another pool: see the IamStack of the tenant.",
  ],
  ['NoSuchBucket', '', 'The bucket of the tenant does not exist: deploy its StorageStack.'],
  ['PreconditionFailed', '', 'There is a file of that name: choose another name, or delete it first.'],
  ['NoSuchKey', '', 'There is no such file: it may have been deleted.'],
  ['NotFound', '', 'There is no such file: it may have been deleted.'],
  ['ExpiredToken', '', 'Sign in again.'],
  ['InvalidToken', '', 'Sign in again.'],
  ['InvalidAccessKeyId', '', 'Sign in again.'],
  ['RequestTimeTooSkewed', '', 'The clock of this device is off by more than 15 minutes: set it.'],
  ['SignatureDoesNotMatch', '', 'The request or the link was changed: use the link unchanged.'],
  ['EntityTooLarge', '', 'The file exceeds the size limit: send a smaller one.'],
  ['SlowDown', '', 'Too many requests: retry later.'],
  ['TooManyRequestsException', '', 'Too many requests: retry later.'],
];

export function remedyFor(name: string, message: string): string {
  const found = remedies.find(([one, part]) => one === name && message.includes(part));
  return found?.[2] ?? 'Give the request ID to an operator.';
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

async function fetchDecision(endpoint: string, requestId: string): Promise<Decision | undefined> {
  // A failure to fetch the explanation is ignored: the AWS error is reported without it.
  const response = await fetch(`${endpoint}/_integreat/decisions/${encodeURIComponent(requestId)}`).catch(() => undefined);
  if (!response?.ok) return undefined;
  return (await response.json().catch(() => undefined)) as Decision | undefined;
}

// Converts an error of an AWS SDK. `endpoint` is the URL of the local cloud; undefined on AWS.
export async function toStorageError(failure: unknown, endpoint?: string): Promise<StorageError> {
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
        "No response. If the cloud is running, the bucket rejects this page's origin: add it to cors.origins in the app's manifest.",
      cause: failure,
    });
  }
  const decision = endpoint && requestId ? await fetchDecision(endpoint, requestId) : undefined;
  const remedy = name === 'AbortError' ? 'The request was aborted: start it again.' : remedyFor(name, message);
  return new StorageError({ name, message, remedy, status, requestId, decision, cause: failure });
}
