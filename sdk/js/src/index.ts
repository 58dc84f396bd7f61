// SPDX-License-Identifier: Apache-2.0
// What every typed client of an Integreat application shares. `integreat sdk ts --app NAME` writes the types and the
// collections of one application on top of it. Needs fetch and nothing else: browsers, Node 20 and later.

export interface Money {
  amount: number; // Minor units: 150000 is 1,500.00.
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
}

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

// A merge patch within an object: null clears a member.
export type Merge<T> = { [K in keyof T]?: T[K] | null };

// The id of a record, or the record itself where `expand` names the field and the caller may read it.
export type Reference<T> = string | T;

export function isExpanded<T extends object>(reference: Reference<T> | null | undefined): reference is T {
  return typeof reference === 'object' && reference !== null;
}

export interface FieldError {
  pointer: string; // "#/email" of the body, "?sort" of the query.
  detail: string;
}

// A refusal (RFC 9457). `type` is stable: "already-exists". `integreat why <requestId>` tells operators more.
export class IntegreatError extends Error {
  readonly status: number;
  readonly type: string;
  readonly detail: string;
  readonly requestId: string;
  readonly errors: FieldError[];
  readonly retryAfter: number | undefined; // Seconds.

  constructor(status: number, problem: Record<string, unknown>, retryAfter?: number) {
    const text = (name: string) => (typeof problem[name] === 'string' ? (problem[name] as string) : '');
    super(text('title') || `HTTP ${status}`);
    this.name = 'IntegreatError';
    this.status = status;
    this.type = text('type').replace('/problems/', '');
    this.detail = text('detail');
    this.requestId = text('request_id');
    this.errors = Array.isArray(problem['errors']) ? (problem['errors'] as FieldError[]) : [];
    this.retryAfter = retryAfter;
  }
}

export interface Options {
  baseUrl: string; // Of the gateway: https://api.example.ph
  token?: () => string | null | undefined | Promise<string | null | undefined>; // user.getIdToken
  fetch?: typeof globalThis.fetch;
  attemptsMax?: number; // Of what may be sent again; 3.
}

export interface CallOptions {
  signal?: AbortSignal;
}

export interface CreateOptions extends CallOptions {
  // The same key does the work once, however often it is sent. Without one a fresh key is used for the attempts
  // of this call.
  idempotencyKey?: string;
}

export interface ChangeOptions extends CallOptions {
  ifMatch?: number; // The record's version as it was read: refused with 412 if it has another by now.
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
  like?: string; // `*` stands for anything.
  starts?: string;
  null?: boolean;
}

export type Filter<Row> = { [K in keyof Row]?: Scalar | Condition };

export interface ListOptions<Row> extends CallOptions {
  filter?: Filter<Row>;
  q?: string;
  sort?: readonly (Extract<keyof Row, string> | `-${Extract<keyof Row, string>}`)[];
  limit?: number; // Of a page.
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

// An event of the change feed as it came: `id` is where to go on from.
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

function filterOf(search: URLSearchParams, filter: object | undefined): void {
  for (const [field, value] of Object.entries(filter ?? {})) {
    if (value === undefined) continue;
    for (const condition of conditions(value as Scalar | Condition)) search.append(field, condition);
  }
}

function queryOf(options: ListOptions<never> & { select?: readonly string[]; group?: readonly string[] }): string {
  const search = new URLSearchParams();
  filterOf(search, options.filter);
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

const reconnectFirst = 0.5; // Seconds.
const reconnectLast = 30;

const pause = (seconds: number, signal?: AbortSignal) =>
  new Promise<void>((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, seconds * 1000);
    signal?.addEventListener('abort', over);
  });

// Of the network (fetch throws a TypeError), or of a platform that is busy or starts.
function isPassing(failure: unknown): boolean {
  if (failure instanceof IntegreatError) return failure.status === 503 || failure.status === 429;
  return failure instanceof TypeError;
}

// All of a stream of text, for what is small enough to be held.
export function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

interface Sent {
  body?: unknown; // As JSON.
  table?: string | Blob; // As comma-separated values. A File of a browser is a Blob, and is read as it is sent.
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

  // What cannot do harm twice is sent again when the platform says that it is busy or cannot be reached.
  async request(
    method: string,
    path: string,
    sent: Sent & { repeatable?: boolean } = {},
  ): Promise<Response> {
    const attempts = sent.repeatable === false ? 1 : (this.options.attemptsMax ?? 3);
    for (let attempt = 1; ; attempt++) {
      let answer: Response;
      try {
        answer = await this.once(method, path, sent);
      } catch (failure) {
        if (attempt >= attempts || sent.signal?.aborted) throw failure;
        await pause(0.2 * attempt);
        continue;
      }
      if (answer.ok || answer.status === 304) return answer;
      const refusal = await errorOf(answer);
      const passing = answer.status === 503 || answer.status === 429 || refusal.type === 'idempotency-key-in-use';
      if (!passing || attempt >= attempts) throw refusal;
      await pause(refusal.retryAfter ?? 0.2 * attempt);
    }
  }

  private async once(
    method: string,
    path: string,
    sent: Sent,
  ): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'application/json', ...sent.headers };
    const token = await this.options.token?.();
    if (token) headers['Authorization'] = `Bearer ${token}`;
    const init: RequestInit = { method, headers };
    if (sent.table !== undefined) {
      headers['Content-Type'] = 'text/csv; charset=utf-8; header=present';
      init.body = sent.table;
    } else if (sent.body !== undefined) {
      headers['Content-Type'] = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      init.body = JSON.stringify(sent.body);
    }
    if (sent.signal) init.signal = sent.signal;
    return (this.options.fetch ?? globalThis.fetch)(this.base + path, init);
  }
}

async function errorOf(answer: Response): Promise<IntegreatError> {
  const after = Number(answer.headers.get('Retry-After') ?? '');
  const problem: unknown = await answer.json().catch(() => ({}));
  return new IntegreatError(
    answer.status,
    typeof problem === 'object' && problem !== null ? (problem as Record<string, unknown>) : {},
    Number.isFinite(after) && after > 0 ? after : undefined,
  );
}

function abortable(options: CallOptions | undefined): { signal?: AbortSignal } {
  return options?.signal ? { signal: options.signal } : {};
}

// One collection. The generated classes add what the application allows: create, patch, delete, transitions.
export class Records<Row extends object> {
  constructor(
    protected readonly connection: Connection,
    protected readonly path: string,
  ) {}

  protected async listPage(options: ListOptions<Row> = {}): Promise<Page<Row>> {
    const answer = await this.connection.request('GET', this.path + queryOf(options as never), abortable(options));
    return (await answer.json()) as Page<Row>;
  }

  // All records, page after page.
  protected async *iterate(options: ListOptions<Row> = {}): AsyncGenerator<Row, void, undefined> {
    let next = options.next;
    do {
      const page: Page<Row> = await this.listPage(next === undefined ? options : { ...options, next });
      yield* page.items;
      next = page.next ?? undefined;
    } while (next !== undefined);
  }

  protected async read(id: string, options: GetOptions<Row> = {}): Promise<Row> {
    const path = `${this.path}/${encodeURIComponent(id)}${queryOf(options as never)}`;
    return (await (await this.connection.request('GET', path, abortable(options))).json()) as Row;
  }

  protected async sums(options: AggregateOptions<Row>): Promise<Record<string, Json>[]> {
    const answer = await this.connection.request(
      'GET',
      `${this.path}/aggregate${queryOf(options as never)}`,
      abortable(options),
    );
    return ((await answer.json()) as { items: Record<string, Json>[] }).items;
  }

  protected async changesOf(id: string, options: CallOptions = {}): Promise<HistoryEntry[]> {
    const entries: HistoryEntry[] = [];
    let next: string | null = null;
    do {
      const after: string = next === null ? '' : `&next=${next}`;
      const path = `${this.path}/${encodeURIComponent(id)}/history?limit=200${after}`;
      const answer = await this.connection.request('GET', path, abortable(options));
      const page = (await answer.json()) as Page<HistoryEntry>;
      entries.push(...page.items);
      next = page.next;
    } while (next !== null);
    return entries;
  }

  // Comma-separated values, as they come: nothing of it is held here. A stream that fails midway is not whole.
  protected async table(options: ExportOptions<Row> = {}): Promise<ReadableStream<Uint8Array>> {
    const answer = await this.connection.request('GET', `${this.path}/export.csv${queryOf(options as never)}`, {
      headers: { Accept: 'text/csv' },
      ...abortable(options),
    });
    return answer.body ?? new Blob([]).stream();
  }

  // All of the lines become records, or none. How many.
  protected async takeTable(table: string | Blob, options: CreateOptions = {}): Promise<number> {
    const answer = await this.connection.request('POST', `${this.path}/import`, {
      table,
      headers: { 'Idempotency-Key': options.idempotencyKey ?? globalThis.crypto.randomUUID() },
      ...abortable(options),
    });
    return ((await answer.json()) as { imported: number }).imported;
  }

  protected async post<Answer>(path: string, body: unknown, options: CreateOptions = {}): Promise<Answer> {
    const key = options.idempotencyKey ?? globalThis.crypto.randomUUID();
    const answer = await this.connection.request('POST', this.path + path, {
      body,
      headers: { 'Idempotency-Key': key },
      ...abortable(options),
    });
    return (await answer.json()) as Answer;
  }

  protected async change(id: string, body: unknown, options: ChangeOptions = {}): Promise<Row> {
    const answer = await this.connection.request('PATCH', `${this.path}/${encodeURIComponent(id)}`, {
      body,
      headers: matching(options),
      repeatable: options.ifMatch !== undefined,
      ...abortable(options),
    });
    return (await answer.json()) as Row;
  }

  protected async remove(id: string, options: ChangeOptions = {}): Promise<void> {
    await this.connection.request('DELETE', `${this.path}/${encodeURIComponent(id)}`, {
      headers: matching(options),
      repeatable: false,
      ...abortable(options),
    });
  }

  // The change feed, from `after` on (the id of the last event that was seen); connects again by itself, and goes on
  // where it was: after the platform was away, and with a new token after the old one. Ends with the signal, or with a
  // refusal as an IntegreatError.
  protected async *follow(
    options: CallOptions & { after?: string } = {},
  ): AsyncGenerator<FeedEvent, void, undefined> {
    let after = options.after;
    let wait = reconnectFirst;
    while (!options.signal?.aborted) {
      const headers: Record<string, string> = { Accept: 'text/event-stream' };
      if (after !== undefined) headers['Last-Event-ID'] = after;
      try {
        const answer = await this.connection.request('GET', `${this.path}/changes`, {
          headers,
          ...abortable(options),
        });
        for await (const event of eventsOf(answer)) {
          wait = reconnectFirst;
          if (event.id !== '') after = event.id;
          if (event.event !== '' && event.event !== 'expired') yield event;
        }
      } catch (failure) {
        if (options.signal?.aborted) return;
        if (!isPassing(failure)) throw failure;
      }
      await pause(wait, options.signal);
      wait = Math.min(wait * 2, reconnectLast);
    }
  }
}

function matching(options: ChangeOptions): Record<string, string> {
  return options.ifMatch === undefined ? {} : { 'If-Match': `"${options.ifMatch}"` };
}

// Server-sent events (HTML Living Standard, section 9.2) of one answer.
async function* eventsOf(answer: Response): AsyncGenerator<FeedEvent, void, undefined> {
  const reader = answer.body?.pipeThrough(new TextDecoderStream() as never).getReader() as
    | ReadableStreamDefaultReader<string>
    | undefined;
  if (!reader) return;
  let rest = '';
  let event: { id: string; event: string; data: string[] } = { id: '', event: 'message', data: [] };
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r\n|\n|\r/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '') {
          if (event.data.length > 0)
            yield { id: event.id, event: event.event, data: JSON.parse(event.data.join('\n')) as Json };
          else if (event.id !== '') yield { id: event.id, event: '', data: null }; // Only a place to go on from.
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
