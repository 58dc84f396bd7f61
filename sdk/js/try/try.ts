// SPDX-License-Identifier: Apache-2.0
// The page /try/{app}: what a frontend does with storage, one function per thing that a person can do here. The settings
// are in the page, rendered by the server; they are public in every frontend.
import { initializeApp } from 'firebase/app';
import {
  browserSessionPersistence,
  connectAuthEmulator,
  initializeAuth,
  signInWithEmailAndPassword,
  signOut,
  type User,
} from 'firebase/auth';

import { Files, type StorageSettings } from '../src/storage.js';
import { attemptsOf } from './attempts.js';
import page from './page.html';
import { element, say, sayRefusal, sizeText } from './words.js';

export interface Neighbour {
  app: string;
  title: string;
  bucket: string;
  identityPool: string;
}

interface Setup {
  app: string;
  title: string;
  firebase: { url: string; project: string; apiKey: string };
  aws: string;
  identityPool: string;
  bucket: string;
  users: { email: string; password: string; role: string }[];
  others: Neighbour[];
}

const setup = JSON.parse(element('setup').textContent ?? '') as Setup;
element('try').innerHTML = page;
for (const place of document.querySelectorAll<HTMLElement>('[data-text]'))
  place.textContent = String(setup[place.dataset['text'] as 'title' | 'bucket']);

// Of this page alone: a reload starts as the same user, a new window as nobody.
const auth = initializeAuth(initializeApp({ apiKey: setup.firebase.apiKey, projectId: setup.firebase.project }), {
  persistence: browserSessionPersistence,
});
connectAuthEmulator(auth, setup.firebase.url, { disableWarnings: true });

const settings: StorageSettings = {
  auth,
  firebaseProject: setup.firebase.project,
  identityPool: setup.identityPool,
  bucket: setup.bucket,
  endpoint: setup.aws,
};
const files = new Files(settings);

// Says what went wrong, if something does.
async function doing(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (failure) {
    sayRefusal(what, failure);
  }
}

function showApps(): void {
  const link = (app: string, title: string) => {
    const made = document.createElement('a');
    made.href = `/try/${encodeURIComponent(app)}`;
    made.textContent = title;
    if (app === setup.app) made.setAttribute('aria-current', 'page');
    return made;
  };
  const apps = [{ app: setup.app, title: setup.title }, ...setup.others].sort((a, b) => a.title.localeCompare(b.title));
  element('apps').replaceChildren(...apps.map(({ app, title }) => link(app, title)));
}

function showUsers(): void {
  const select = element<HTMLSelectElement>('users');
  select.replaceChildren(...setup.users.map(({ email, role }) => new Option(`${role} (${email})`, email)));
  const fill = () => {
    const user = setup.users.find(({ email }) => email === select.value);
    element<HTMLInputElement>('email').value = user?.email ?? '';
    element<HTMLInputElement>('password').value = user?.password ?? '';
  };
  select.addEventListener('change', fill);
  fill();
  element('sign-in').addEventListener('submit', (event) => {
    event.preventDefault();
    void doing('Sign in', async () => {
      const email = element<HTMLInputElement>('email').value;
      await signInWithEmailAndPassword(auth, email, element<HTMLInputElement>('password').value);
    });
  });
  element('sign-out').addEventListener('click', () => void signOut(auth));
}

// The other user may be signed in before an answer for the first one is here: such an answer is not shown.
async function showWho(user: User | null): Promise<void> {
  element('sign-in').hidden = user !== null;
  element('signed-in').hidden = user === null;
  element('files').replaceChildren();
  element('empty').hidden = false;
  element('empty').textContent = user ? 'Looking…' : 'Sign in to see them.';
  element<HTMLInputElement>('file').disabled = user === null;
  element('folder').textContent = '…';
  element('credentials').textContent = '…';
  for (const button of document.querySelectorAll<HTMLButtonElement>('#attempts button, #hand-on button'))
    button.disabled = user === null;
  if (!user) return;
  element('who').textContent = user.email ?? user.uid;
  await doing('Exchange the ID token for credentials', async () => {
    const folder = await files.folder();
    const credentials = await files.ask((client) => client.config.credentials());
    element('folder').textContent = folder;
    const until = credentials.expiration?.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }) ?? '?';
    element('credentials').textContent = `${credentials.accessKeyId}, until ${until}; renewed by itself`;
  });
  await showFiles();
}

async function showFiles(): Promise<void> {
  await doing('List', async () => {
    const { items } = await files.list();
    element('files').replaceChildren(...items.map((file) => rowOf(file.key, file.name, file.bytes, file.changed)));
    element('empty').hidden = items.length > 0;
    element('empty').textContent = 'No files yet.';
  });
}

function rowOf(key: string, name: string, bytes: number, changed: Date): HTMLElement {
  const row = document.createElement('tr');
  for (const text of [name, sizeText(bytes), changed.toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })]) row.insertCell().textContent = text;
  const actions = row.insertCell();
  const button = (text: string, work: () => Promise<void>) => {
    const made = document.createElement('button');
    made.type = 'button';
    made.textContent = text;
    made.setAttribute('aria-label', `${text} ${name}`);
    made.addEventListener('click', () => void doing(`${text} ${name}`, work));
    actions.append(made);
  };
  button('Download', () => download(key, name));
  button('Link', () => showLink(key, name));
  button('Delete', async () => {
    await files.delete(key);
    say(`Deleted ${name}`, 'S3 has it no more.');
    await showFiles();
  });
  return row;
}

async function download(key: string, name: string): Promise<void> {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await files.download(key));
  link.download = name.slice(name.lastIndexOf('/') + 1);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function showLink(key: string, name: string): Promise<void> {
  const link = await files.link(key, 300);
  say(`A link to ${name}`, 'Whoever has it may read the file, for five minutes:', link);
}

// As commands, for whoever it is handed on to.
async function handOn(how: string, name: string): Promise<void> {
  const about = 'Whoever has this may upload that one file, for a quarter of an hour:';
  if (how === 'link') {
    say(`A link to upload ${name}`, about, `curl -T FILE '${await files.uploadLink(name)}'`);
    return;
  }
  const { url, fields } = await files.uploadForm(name, 10 * 1024 * 1024);
  const words = Object.entries(fields).map(([field, value]) => `-F '${field}=${value}'`);
  say(`A form to upload ${name}`, `${about.slice(0, -1)}, at most 10 MiB of it:`, `curl ${words.join(' ')} -F file=@FILE '${url}'`);
}

function offerHandingOn(): void {
  element('hand-on').addEventListener('submit', (event) => {
    event.preventDefault();
    const how = (event as SubmitEvent).submitter?.getAttribute('value') ?? 'link';
    const name = element<HTMLInputElement>('hand-on-name').value;
    void doing(`Let somebody upload ${name}`, () => handOn(how, name));
  });
}

let stopping = new AbortController();

async function upload(file: File): Promise<void> {
  stopping = new AbortController();
  const began = performance.now();
  const show = ({ sent, of }: { sent: number; of: number }) => {
    element<HTMLProgressElement>('progress').value = of === 0 ? 1 : sent / of;
    const percent = of === 0 ? 100 : Math.floor((100 * sent) / of);
    element('progress-text').textContent = `${file.name}: ${sizeText(sent)} of ${sizeText(of)} (${percent} %)`;
  };
  element('transfer').hidden = false;
  try {
    const stored = await files.upload(file, { onProgress: show, signal: stopping.signal });
    const seconds = (performance.now() - began) / 1000;
    say(`Uploaded ${file.name}`, `${sizeText(file.size)} in ${seconds.toFixed(1)} s, straight to S3. A record keeps this:`, JSON.stringify(stored));
  } finally {
    element('transfer').hidden = true;
    element<HTMLInputElement>('file').value = '';
  }
  await showFiles();
}

function takeFiles(): void {
  const input = element<HTMLInputElement>('file');
  const take = (file: File | undefined) => {
    if (file) void doing(`Upload ${file.name}`, () => upload(file));
  };
  input.addEventListener('change', () => take(input.files?.[0]));
  element('cancel').addEventListener('click', () => stopping.abort());
  const drop = element('drop');
  drop.addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    if (auth.currentUser) take(event.dataTransfer?.files[0]);
  });
}

function offerAttempts(): void {
  const buttons = attemptsOf(setup.others, settings, files).map(({ title, about, work }) => {
    const button = document.createElement('button');
    const small = document.createElement('small');
    button.type = 'button';
    small.textContent = about;
    button.append(title, small);
    button.addEventListener('click', () =>
      void doing(title, async () => {
        await work();
        say(title, 'This was not refused: somebody has changed the policies of this cloud.');
      }),
    );
    return button;
  });
  element('attempts').replaceChildren(...buttons);
}

showApps();
showUsers();
takeFiles();
offerHandingOn();
offerAttempts();
auth.onAuthStateChanged((user) => void showWho(user));
