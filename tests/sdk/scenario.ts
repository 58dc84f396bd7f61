// SPDX-License-Identifier: Apache-2.0
// A visit, from its wish to its agreement, by the client that was made from the manifest. What is wrong here must not
// compile; what is wrong there throws.
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
const nobody = new ClinicClient({ baseUrl });

const doctor = await admin.doctors.create({ name: 'Dr. Santos', fee: { amount: 65000, currency: 'PHP' } });
expect((await nobody.doctors.get(doctor.id)).name === 'Dr. Santos', 'doctors are public');

const visit: Visit = await patient.visits.create({ doctor: doctor.id, day: '2026-12-01', tags: ['first'] });
expect(visit.state === 'asked' && visit.version === 1, 'a visit begins as asked');

const incomplete = await refusal(nurse.visits.agree(visit.id));
expect(incomplete.status === 409 && incomplete.type === 'incomplete', 'agreeing needs a phone number');
expect(incomplete.errors[0]?.pointer === '#/phone', 'which is named');

const patched = await nurse.visits.patch(visit.id, { phone: '0917 123 4567', temperature: 36.6 }, { ifMatch: 1 });
expect(patched.phone === '+639171234567' && patched.temperature === '36.6', 'values come back as they are kept');
expect((await refusal(nurse.visits.patch(visit.id, { notes: 'x' }, { ifMatch: 1 }))).status === 412, 'stale');
expect((await refusal(patient.visits.agree(visit.id))).status === 403, 'patients do not agree for others');
expect((await nurse.visits.agree(visit.id)).state === 'agreed', 'the nurse does');

const key = crypto.randomUUID();
const once = await patient.visits.create({ doctor: doctor.id, day: '2026-12-02' }, { idempotencyKey: key });
const again = await patient.visits.create({ doctor: doctor.id, day: '2026-12-02' }, { idempotencyKey: key });
expect(once.id === again.id, 'a key makes one record');

const days = Array.from({ length: 23 }, (_, day) => `2028-01-${String(day + 1).padStart(2, '0')}`);
await nurse.visits.createAll(days.map((day) => ({ doctor: doctor.id, day })));
const seen: string[] = [];
for await (const one of nurse.visits.all({ filter: { day: { ge: '2028-01-01' } }, sort: ['day'], limit: 5 })) {
  seen.push(one.day);
}
expect(seen.join() === days.join(), 'pages follow each other');

const page = await nurse.visits.list({ filter: { day: '2028-01-07' }, expand: ['doctor'] });
const expanded = page.items[0]?.doctor;
expect(isExpanded(expanded) && expanded.name === 'Dr. Santos', 'the doctor comes with the visit');
const sums = await nurse.visits.aggregate({ select: ['count'], filter: { day: { in: ['2028-01-01', '2028-01-02'] } } });
expect(sums[0]?.['count'] === 2, 'two of them');
expect((await admin.visits.history(visit.id)).map((entry) => entry.action).join() === 'transition,update,create', 'history');

const table = await readText(
  await nurse.visits.exportCsv({ filter: { day: { in: ['2028-01-01', '2028-01-02'] } }, sort: ['day'], fields: ['doctor', 'day'] }),
);
expect(table === `doctor,day\r\n${doctor.id},2028-01-01\r\n${doctor.id},2028-01-02\r\n`, 'an export has its fields and order');
expect((await nurse.visits.importCsv(table)) === 2, 'and can be imported');
expect((await nurse.visits.importCsv(new Blob([table]))) === 2, 'also from a file');
const unread = await refusal(nurse.visits.importCsv(`doctor,day\n${doctor.id},2028-02-30\n`));
expect(unread.status === 400 && unread.errors[0]?.pointer === 'line 2, day', 'mistakes have their line');
expect((await refusal(nobody.visits.importCsv(table))).status === 401, 'nobody imports');

// Follows the changes from the place `after` on until `count` events have come. `asked` runs once it listens.
async function followed(count: number, after: string | undefined, asked: () => Promise<unknown>): Promise<FeedEvent[]> {
  const ending = new AbortController();
  const events: FeedEvent[] = [];
  const giveUp = setTimeout(() => ending.abort(), 20_000);
  const feed = nurse.visits.changes({ signal: ending.signal, ...(after === undefined ? {} : { after }) });
  const first = feed.next();
  await asked();
  for (let next = await first; !next.done; next = await feed.next()) {
    events.push(next.value);
    if (events.length === count) ending.abort();
  }
  clearTimeout(giveUp);
  return events;
}

// The place before anything: nothing of it is known here, so that the feed says `reset` and where it stands.
const [reset] = await followed(1, 'nowhere', async () => undefined);
expect(reset?.event === 'reset', 'an unknown place is told');
const missed = await nurse.visits.create({ doctor: doctor.id, day: '2029-01-01', phone: '0917 123 4567' });
const [created] = await followed(1, reset?.id, async () => undefined);
expect(created?.event === 'created' && (created.data as { id?: string }).id === missed.id, 'what was missed is told');
const later = await followed(2, created?.id, async () => {
  await nurse.visits.agree(missed.id);
  await nurse.visits.patch(missed.id, { notes: 'seen' });
});
expect(later.map((one) => one.event).join() === 'agree,updated', 'and nothing twice, in its order');

const invalid = await refusal(nurse.visits.create({ doctor: doctor.id, day: '2026-02-30' }));
expect(invalid.status === 400 && invalid.errors[0]?.pointer === '#/day', 'the calendar has no such day');
expect((await refusal(nobody.visits.list())).status === 401, 'visits are nobody else’s business');

// @ts-expect-error There is no such field.
const misspelt = () => nurse.visits.create({ doctor: doctor.id, day: '2026-12-01', note: 'x' });
// @ts-expect-error A day is needed.
const incompleteRecord = () => nurse.visits.create({ doctor: doctor.id });
// @ts-expect-error No rule lets anybody delete visits.
const impossible = () => nurse.visits.delete(visit.id);
expect([misspelt, incompleteRecord, impossible].length === 3, 'these only had to be refused by the compiler');
