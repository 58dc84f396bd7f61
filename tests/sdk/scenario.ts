// SPDX-License-Identifier: Apache-2.0
// A visit from its request to its agreement, with the client generated from the manifest of the clinic. Wrong types must
// not compile, and wrong responses throw.
import { ClinicClient, IntegreatError, isExpanded, readText, type FeedEvent, type Visit } from './clinic.js';

declare const process: { env: Record<string, string | undefined>; exit(code: number): never };

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

function expect(condition: boolean, what: string): void {
  if (!condition) throw new Error(`expected: ${what}`);
}

async function refusal(work: Promise<unknown>): Promise<IntegreatError> {
  try {
    await work;
  } catch (failure) {
    if (failure instanceof IntegreatError) return failure;
    throw failure;
  }
  throw new Error('expected a refusal');
}

const baseUrl = setting('GATEWAY');
const as = (role: string) => new ClinicClient({ baseUrl, token: () => setting(`TOKEN_${role}`) });
const admin = as('admin');
const nurse = as('nurse');
const patient = as('patient');
const unauthenticated = new ClinicClient({ baseUrl });

const doctor = await admin.doctors.create({ name: 'Dr. Santos', fee: { amount: 65000, currency: 'PHP' } });
expect((await unauthenticated.doctors.get(doctor.id)).name === 'Dr. Santos', 'doctors are public');

const visit: Visit = await patient.visits.create({ doctor: doctor.id, day: '2026-12-01', tags: ['first'] });
expect(visit.state === 'requested' && visit.version === 1, 'the initial state of a visit is requested');

const incomplete = await refusal(nurse.visits.agree(visit.id));
expect(incomplete.status === 409 && incomplete.type === 'incomplete', 'agree requires a phone number');
expect(incomplete.errors[0]?.pointer === '#/phone', 'the error names the field');

const patched = await nurse.visits.patch(visit.id, { phone: '0917 123 4567', temperature: 36.6 }, { ifMatch: 1 });
expect(patched.phone === '+639171234567' && patched.temperature === '36.6', 'values are returned as they are stored');
expect((await refusal(nurse.visits.patch(visit.id, { notes: 'x' }, { ifMatch: 1 }))).status === 412, 'the version is outdated');
expect((await refusal(patient.visits.agree(visit.id))).status === 403, 'patients cannot agree');
expect((await nurse.visits.agree(visit.id)).state === 'agreed', 'nurses can agree');

const key = crypto.randomUUID();
const once = await patient.visits.create({ doctor: doctor.id, day: '2026-12-02' }, { idempotencyKey: key });
const again = await patient.visits.create({ doctor: doctor.id, day: '2026-12-02' }, { idempotencyKey: key });
expect(once.id === again.id, 'an idempotency key creates one record');

const days = Array.from({ length: 23 }, (_, day) => `2028-01-${String(day + 1).padStart(2, '0')}`);
await nurse.visits.createAll(days.map((day) => ({ doctor: doctor.id, day })));
const seen: string[] = [];
for await (const one of nurse.visits.all({ filter: { day: { ge: '2028-01-01' } }, sort: ['day'], limit: 5 })) {
  seen.push(one.day);
}
expect(seen.join() === days.join(), 'pages contain all records in order');

const page = await nurse.visits.list({ filter: { day: '2028-01-07' }, expand: ['doctor'] });
const expanded = page.items[0]?.doctor;
expect(isExpanded(expanded) && expanded.name === 'Dr. Santos', 'the doctor is expanded');
const sums = await nurse.visits.aggregate({ select: ['count'], filter: { day: { in: ['2028-01-01', '2028-01-02'] } } });
expect(sums[0]?.['count'] === 2, 'the aggregate counts two records');
expect((await admin.visits.history(visit.id)).map((entry) => entry.action).join() === 'transition,update,create', 'history');

const table = await readText(
  await nurse.visits.exportCsv({ filter: { day: { in: ['2028-01-01', '2028-01-02'] } }, sort: ['day'], fields: ['doctor', 'day'] }),
);
expect(table === `doctor,day\r\n${doctor.id},2028-01-01\r\n${doctor.id},2028-01-02\r\n`, 'an export has the selected fields and order');
expect((await nurse.visits.importCsv(table)) === 2, 'an export can be imported');
expect((await nurse.visits.importCsv(new Blob([table]))) === 2, 'a file can be imported');
const invalidImport = await refusal(nurse.visits.importCsv(`doctor,day\n${doctor.id},2028-02-30\n`));
expect(invalidImport.status === 400 && invalidImport.errors[0]?.pointer === 'line 2, day', 'errors name their line');
expect((await refusal(unauthenticated.visits.importCsv(table))).status === 401, 'imports need a sign-in');

// Subscribes to the changes after the event `after` and returns the next `count` events. Calls `cause` once subscribed.
async function receiveEvents(count: number, after: string | undefined, cause: () => Promise<unknown>): Promise<FeedEvent[]> {
  const ending = new AbortController();
  const events: FeedEvent[] = [];
  const timeout = setTimeout(() => ending.abort(), 20_000);
  const feed = nurse.visits.changes({ signal: ending.signal, ...(after === undefined ? {} : { after }) });
  const first = feed.next();
  await cause();
  for (let next = await first; !next.done; next = await feed.next()) {
    events.push(next.value);
    if (events.length === count) ending.abort();
  }
  clearTimeout(timeout);
  return events;
}

// An unknown event id: the feed sends `reset` with its current position.
const [reset] = await receiveEvents(1, 'unknown', async () => undefined);
expect(reset?.event === 'reset', 'an unknown event id is reported');
const missed = await nurse.visits.create({ doctor: doctor.id, day: '2029-01-01', phone: '0917 123 4567' });
const [created] = await receiveEvents(1, reset?.id, async () => undefined);
expect(created?.event === 'created' && (created.data as { id?: string }).id === missed.id, 'a missed event is delivered');
const later = await receiveEvents(2, created?.id, async () => {
  await nurse.visits.agree(missed.id);
  await nurse.visits.patch(missed.id, { notes: 'examined' });
});
expect(later.map((one) => one.event).join() === 'agree,updated', 'events are delivered once and in order');

const invalid = await refusal(nurse.visits.create({ doctor: doctor.id, day: '2026-02-30' }));
expect(invalid.status === 400 && invalid.errors[0]?.pointer === '#/day', 'the date does not exist');
expect((await refusal(unauthenticated.visits.list())).status === 401, 'visits need a sign-in');

// @ts-expect-error The field does not exist.
const misspelt = () => nurse.visits.create({ doctor: doctor.id, day: '2026-12-01', note: 'x' });
// @ts-expect-error The field day is required.
const incompleteRecord = () => nurse.visits.create({ doctor: doctor.id });
// @ts-expect-error No access rule allows deleting visits.
const impossible = () => nurse.visits.delete(visit.id);
expect([misspelt, incompleteRecord, impossible].length === 3, 'the compiler refuses these calls');
