// SPDX-License-Identifier: Apache-2.0
// Runtime shared by all typed clients of Integreat applications. `integreat sdk ts --app NAME` generates the types and
// collections of one application on top of it. Requires only fetch: browsers, Node 20 and later.

export interface Money {
  amount: number; // In minor units: 150000 is 1,500.00.
  currency?: string;
}

export interface Address {
  line?: string;
  barangay?: string;
  city: string;
  province?: string;
  region?: string;
  postal_code?: string;
  country?: string;
  latitude?: number;
  longitude?: number;
}

export interface StoredFile {
  key: string;
  name?: string;
  content_type?: string;
  bytes?: number;
  version_id?: string; // Set by the platform.
  sha256?: string; // Base64; set by the platform if the upload had it.
}

// A link to the version of a file that a record holds.
export interface FileLink {
  url: string;
  expires_at: string;
  name?: string;
  content_type?: string;
  bytes?: number;
  sha256?: string;
}

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

// A merge patch within an object: null clears a member.
export type Merge<T> = { [K in keyof T]?: T[K] | null };

// The ID of a record, or the record itself if `expand` names the field and the caller may read it.
export type Reference<T> = string | T;

export function isExpanded<T extends object>(reference: Reference<T> | null | undefined): reference is T {
  return typeof reference === 'object' && reference !== null;
}

export interface FieldError {
  pointer: string; // "#/email" in the body, "?sort" in the query.
  detail: string;
}

// A problem response (RFC 9457). `type` is stable: "already-exists". `integreat why <requestId>` shows operators the
// cause.
export class IntegreatError extends Error {
  readonly status: number;
  readonly type: string;
  readonly detail: string;
  readonly requestId: string;
  readonly errors: FieldError[];
  readonly retryAfter: number | undefined; // In seconds.

  constructor(status: number, problem: Record<string, unknown>, retryAfter?: number) {
    const text = (name: string) => (typeof problem[name] === 'string' ? (problem[name] as string) : '');
    super(text('title') || `HTTP ${status}`);
    this.name = 'IntegreatError';
    this.status = status;
    this.type = text('type').split('/').pop() ?? ''; // The last segment of the URI.
    this.detail = text('detail');
    this.requestId = text('request_id');
    this.errors = Array.isArray(problem['errors']) ? (problem['errors'] as FieldError[]) : [];
    this.retryAfter = retryAfter;
  }
}

export interface Options {
  baseUrl: string; // URL of the gateway: https://api.example.ph
  token?: () => string | null | undefined | Promise<string | null | undefined>; // Returns the ID token: user.getIdToken
  fetch?: typeof globalThis.fetch;
  attemptsMax?: number; // Maximum number of attempts for repeatable requests. Default: 3.
}

export interface CallOptions {
  signal?: AbortSignal;
}

export interface CreateOptions extends CallOptions {
  // Requests with the same key are executed once. Default: a new key for all attempts of this call.
  idempotencyKey?: string;
}

export interface ChangeOptions extends CallOptions {
  ifMatch?: number; // Version the record must have; 412 if it has changed.
}

type Scalar = string | number | boolean;

export interface Condition {
  eq?: Scalar;
  ne?: Scalar;
  lt?: Scalar;
  le?: Scalar;
  gt?: Scalar;
  ge?: Scalar;
  in?: Scalar[];
  like?: string; // `*` matches any text.
  starts?: string;
  null?: boolean;
}

export type Filter<Row> = { [K in keyof Row]?: Scalar | Condition };

export interface ListOptions<Row> extends CallOptions {
  filter?: Filter<Row>;
  q?: string;
  sort?: readonly (Extract<keyof Row, string> | `-${Extract<keyof Row, string>}`)[];
  limit?: number; // Page size.
  next?: string;
  fields?: readonly Extract<keyof Row, string>[];
  expand?: readonly Extract<keyof Row, string>[];
}

export interface GetOptions<Row> extends CallOptions {
  fields?: readonly Extract<keyof Row, string>[];
  expand?: readonly Extract<keyof Row, string>[];
}

export interface ExportOptions<Row> extends CallOptions {
  filter?: Filter<Row>;
  q?: string;
  sort?: ListOptions<Row>['sort'];
  fields?: readonly Extract<keyof Row, string>[];
}

export interface Page<Row> {
  items: Row[];
  next: string | null;
}

export interface AggregateOptions<Row> extends CallOptions {
  select: readonly string[]; // "count", "avg(gpa)"
  group?: readonly Extract<keyof Row, string>[];
  filter?: Filter<Row>;
}

export interface HistoryEntry {
  at: string;
  by: string | null;
  action: 'create' | 'update' | 'transition' | 'delete';
  version: number;
  [more: string]: unknown;
}

// An event of the change feed. `id` resumes the feed after the event.
export interface FeedEvent {
  id: string;
  event: string;
  data: Json;
}

function quoted(value: Scalar): string {
  return `"${String(value).replace(/(["\\])/g, '\\$1')}"`;
}

function conditions(value: Scalar | Condition): string[] {
  if (typeof value !== 'object') return [`eq.${value}`];
  return Object.entries(value)
    .filter(([, operand]) => operand !== undefined)
    .map(([name, operand]) =>
      Array.isArray(operand) ? `${name}.(${operand.map(quoted).join(',')})` : `${name}.${operand}`,
    );
}

function appendFilter(search: URLSearchParams, filter: object | undefined): void {
  for (const [field, value] of Object.entries(filter ?? {})) {
    if (value === undefined) continue;
    for (const condition of conditions(value as Scalar | Condition)) search.append(field, condition);
  }
}

function toQuery(options: ListOptions<never> & { select?: readonly string[]; group?: readonly string[] }): string {
  const search = new URLSearchParams();
  appendFilter(search, options.filter);
  if (options.q !== undefined) search.set('q', options.q);
  if (options.limit !== undefined) search.set('limit', String(options.limit));
  if (options.next !== undefined) search.set('next', options.next);
  for (const name of ['sort', 'fields', 'expand', 'select', 'group'] as const) {
    const list = options[name] as readonly string[] | undefined;
    if (list && list.length > 0) search.set(name, list.join(','));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

const reconnectDelayMin = 0.5; // In seconds.
const reconnectDelayMax = 30; // In seconds.

const pause = (seconds: number, signal?: AbortSignal) =>
  new Promise<void>((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, seconds * 1000);
    signal?.addEventListener('abort', finish);
  });

// Returns whether a retry may succeed: network errors (fetch throws a TypeError), and a platform that is overloaded or
// starting.
function isTransient(failure: unknown): boolean {
  if (failure instanceof IntegreatError) return failure.status === 503 || failure.status === 429;
  return failure instanceof TypeError;
}

// Reads a whole stream of text into memory.
export function readText(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

interface RequestOptions {
  body?: unknown; // Sent as JSON.
  csv?: string | Blob; // Sent as CSV. A File is a Blob: the browser reads it while sending.
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export class Connection {
  private readonly base: string;
  private readonly options: Options;

  constructor(options: Options, app: string) {
    this.options = options;
    this.base = `${options.baseUrl.replace(/\/+$/, '')}/v1/apps/${app}`;
  }

  // Sends a request. Repeatable requests are sent again if the platform is overloaded or cannot be reached.
  async request(
    method: string,
    path: string,
    options: RequestOptions & { repeatable?: boolean } = {},
  ): Promise<Response> {
    const attempts = options.repeatable === false ? 1 : (this.options.attemptsMax ?? 3);
    for (let attempt = 1; ; attempt++) {
      let response: Response;
      try {
        response = await this.send(method, path, options);
      } catch (failure) {
        if (attempt >= attempts || options.signal?.aborted) throw failure;
        await pause(0.2 * attempt);
        continue;
      }
      if (response.ok || response.status === 304) return response;
      const error = await errorFrom(response);
      const transient = response.status === 503 || response.status === 429 || error.type === 'idempotency-key-in-use';
      if (!transient || attempt >= attempts) throw error;
      await pause(error.retryAfter ?? 0.2 * attempt);
    }
  }

  private async send(
    method: string,
    path: string,
    options: RequestOptions,
  ): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'application/json', ...options.headers };
    const token = await this.options.token?.();
    if (token) headers['Authorization'] = `Bearer ${token}`;
    const init: RequestInit = { method, headers };
    if (options.csv !== undefined) {
      headers['Content-Type'] = 'text/csv; charset=utf-8; header=present';
      init.body = options.csv;
    } else if (options.body !== undefined) {
      headers['Content-Type'] = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      init.body = JSON.stringify(options.body);
    }
    if (options.signal) init.signal = options.signal;
    return (this.options.fetch ?? globalThis.fetch)(this.base + path, init);
  }
}

async function errorFrom(response: Response): Promise<IntegreatError> {
  const after = Number(response.headers.get('Retry-After') ?? '');
  const problem: unknown = await response.json().catch(() => ({}));
  return new IntegreatError(
    response.status,
    typeof problem === 'object' && problem !== null ? (problem as Record<string, unknown>) : {},
    Number.isFinite(after) && after > 0 ? after : undefined,
  );
}

function withSignal(options: CallOptions | undefined): { signal?: AbortSignal } {
  return options?.signal ? { signal: options.signal } : {};
}

// Base class of collections. The generated classes add the operations of the application: create, patch, delete and
// transitions.
export class Records<Row extends object> {
  constructor(
    protected readonly connection: Connection,
    protected readonly path: string,
  ) {}

  protected async listPage(options: ListOptions<Row> = {}): Promise<Page<Row>> {
    const response = await this.connection.request('GET', this.path + toQuery(options as never), withSignal(options));
    return (await response.json()) as Page<Row>;
  }

  // Iterates over all records, page by page.
  protected async *iterate(options: ListOptions<Row> = {}): AsyncGenerator<Row, void, undefined> {
    let next = options.next;
    do {
      const page: Page<Row> = await this.listPage(next === undefined ? options : { ...options, next });
      yield* page.items;
      next = page.next ?? undefined;
    } while (next !== undefined);
  }

  protected async read(id: string, options: GetOptions<Row> = {}): Promise<Row> {
    const path = `${this.path}/${encodeURIComponent(id)}${toQuery(options as never)}`;
    return (await (await this.connection.request('GET', path, withSignal(options))).json()) as Row;
  }

  protected async openFile(id: string, field: string, options: CallOptions = {}): Promise<FileLink> {
    const path = `${this.path}/${encodeURIComponent(id)}/files/${field}`;
    return (await (await this.connection.request('GET', path, withSignal(options))).json()) as FileLink;
  }

  protected async readAggregates(options: AggregateOptions<Row>): Promise<Record<string, Json>[]> {
    const response = await this.connection.request(
      'GET',
      `${this.path}/aggregate${toQuery(options as never)}`,
      withSignal(options),
    );
    return ((await response.json()) as { items: Record<string, Json>[] }).items;
  }

  protected async readHistory(id: string, options: CallOptions = {}): Promise<HistoryEntry[]> {
    const entries: HistoryEntry[] = [];
    let next: string | null = null;
    do {
      const after: string = next === null ? '' : `&next=${next}`;
      const path = `${this.path}/${encodeURIComponent(id)}/history?limit=200${after}`;
      const response = await this.connection.request('GET', path, withSignal(options));
      const page = (await response.json()) as Page<HistoryEntry>;
      entries.push(...page.items);
      next = page.next;
    } while (next !== null);
    return entries;
  }

  // Streams records as CSV without buffering. A stream that fails is incomplete.
  protected async table(options: ExportOptions<Row> = {}): Promise<ReadableStream<Uint8Array>> {
    const response = await this.connection.request('GET', `${this.path}/export.csv${toQuery(options as never)}`, {
      headers: { Accept: 'text/csv' },
      ...withSignal(options),
    });
    return response.body ?? new Blob([]).stream();
  }

  // Imports all records or none. Returns their number.
  protected async importTable(csv: string | Blob, options: CreateOptions = {}): Promise<number> {
    const response = await this.connection.request('POST', `${this.path}/import`, {
      csv,
      headers: { 'Idempotency-Key': options.idempotencyKey ?? globalThis.crypto.randomUUID() },
      ...withSignal(options),
    });
    return ((await response.json()) as { imported: number }).imported;
  }

  protected async post<Result>(path: string, body: unknown, options: CreateOptions = {}): Promise<Result> {
    const key = options.idempotencyKey ?? globalThis.crypto.randomUUID();
    const response = await this.connection.request('POST', this.path + path, {
      body,
      headers: { 'Idempotency-Key': key },
      ...withSignal(options),
    });
    return (await response.json()) as Result;
  }

  protected async change(id: string, body: unknown, options: ChangeOptions = {}): Promise<Row> {
    const response = await this.connection.request('PATCH', `${this.path}/${encodeURIComponent(id)}`, {
      body,
      headers: ifMatchHeader(options),
      repeatable: options.ifMatch !== undefined,
      ...withSignal(options),
    });
    return (await response.json()) as Row;
  }

  protected async remove(id: string, options: ChangeOptions = {}): Promise<void> {
    await this.connection.request('DELETE', `${this.path}/${encodeURIComponent(id)}`, {
      headers: ifMatchHeader(options),
      repeatable: false,
      ...withSignal(options),
    });
  }

  // Follows the change feed after the event ID `after`. Reconnects and resumes after network errors and restarts of the
  // platform, and with a new token once the old one expires. Ends with the signal, or throws an IntegreatError.
  protected async *follow(
    options: CallOptions & { after?: string } = {},
  ): AsyncGenerator<FeedEvent, void, undefined> {
    let after = options.after;
    let delay = reconnectDelayMin;
    while (!options.signal?.aborted) {
      const headers: Record<string, string> = { Accept: 'text/event-stream' };
      if (after !== undefined) headers['Last-Event-ID'] = after;
      try {
        const response = await this.connection.request('GET', `${this.path}/changes`, {
          headers,
          ...withSignal(options),
        });
        for await (const event of parseEvents(response)) {
          delay = reconnectDelayMin;
          if (event.id !== '') after = event.id;
          if (event.event !== '' && event.event !== 'expired') yield event;
        }
      } catch (failure) {
        if (options.signal?.aborted) return;
        if (!isTransient(failure)) throw failure;
      }
      await pause(delay, options.signal);
      delay = Math.min(delay * 2, reconnectDelayMax);
    }
  }
}

function ifMatchHeader(options: ChangeOptions): Record<string, string> {
  return options.ifMatch === undefined ? {} : { 'If-Match': `"${options.ifMatch}"` };
}

// Parses the server-sent events of a response (HTML Living Standard, section 9.2).
async function* parseEvents(response: Response): AsyncGenerator<FeedEvent, void, undefined> {
  const reader = response.body?.pipeThrough(new TextDecoderStream() as never).getReader() as
    | ReadableStreamDefaultReader<string>
    | undefined;
  if (!reader) return;
  let incompleteLine = '';
  let event: { id: string; event: string; data: string[] } = { id: '', event: 'message', data: [] };
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (incompleteLine + value).split(/\r\n|\n|\r/);
      incompleteLine = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '') {
          if (event.data.length > 0)
            yield { id: event.id, event: event.event, data: JSON.parse(event.data.join('\n')) as Json };
          else if (event.id !== '') yield { id: event.id, event: '', data: null }; // Only an ID to resume after.
          event = { id: '', event: 'message', data: [] };
          continue;
        }
        const colon = line.indexOf(':');
        const name = colon < 0 ? line : line.slice(0, colon);
        const text = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
        if (name === 'id') event.id = text;
        else if (name === 'event') event.event = text;
        else if (name === 'data') event.data.push(text);
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
