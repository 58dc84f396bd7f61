// SPDX-License-Identifier: Apache-2.0
// The page /try/{app}: storage operations of a frontend, one function per user action. The server renders the settings
// into the page; they are public in every frontend.
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
import { deniedExamples } from './denied_examples.js';
import page from './page.html';
import { element, formatSize, logError, logSuccess } from './format.js';

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

// The session is kept per window: a reload keeps the user, a new window starts signed out.
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

// Runs an action and logs its error.
async function runAction(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (failure) {
    logError(what, failure);
  }
}

function showApps(): void {
  const link = (app: string, title: string) => {
    const created = document.createElement('a');
    created.href = `/try/${encodeURIComponent(app)}`;
    created.textContent = title;
    if (app === setup.app) created.setAttribute('aria-current', 'page');
    return created;
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
    void runAction('Sign in', async () => {
      const email = element<HTMLInputElement>('email').value;
      await signInWithEmailAndPassword(auth, email, element<HTMLInputElement>('password').value);
    });
  });
  element('sign-out').addEventListener('click', () => void signOut(auth));
}

// Another user may sign in before a response for the previous one arrives: such a response is not shown.
async function showUser(user: User | null): Promise<void> {
  element('sign-in').hidden = user !== null;
  element('signed-in').hidden = user === null;
  element('files').replaceChildren();
  element('empty').hidden = false;
  element('empty').textContent = user ? 'Loading…' : 'Sign in to list your files.';
  element<HTMLInputElement>('file').disabled = user === null;
  element('folder').textContent = '…';
  element('credentials').textContent = '…';
  for (const button of document.querySelectorAll<HTMLButtonElement>('#denied-examples button, #share button'))
    button.disabled = user === null;
  if (!user) return;
  element('who').textContent = user.email ?? user.uid;
  await runAction('Exchange the ID token for credentials', async () => {
    const folder = await files.folder();
    const credentials = await files.withClient((client) => client.config.credentials());
    element('folder').textContent = folder;
    const until = credentials.expiration?.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }) ?? '?';
    element('credentials').textContent = `${credentials.accessKeyId}, until ${until}; renewed automatically`;
  });
  await showFiles();
}

async function showFiles(): Promise<void> {
  await runAction('List', async () => {
    const { items } = await files.list();
    element('files').replaceChildren(...items.map((file) => createRow(file.key, file.name, file.bytes, file.changed)));
    element('empty').hidden = items.length > 0;
    element('empty').textContent = 'No files yet.';
  });
}

function createRow(key: string, name: string, bytes: number, changed: Date): HTMLElement {
  const row = document.createElement('tr');
  for (const text of [name, formatSize(bytes), changed.toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })]) row.insertCell().textContent = text;
  const actions = row.insertCell();
  const button = (text: string, work: () => Promise<void>) => {
    const created = document.createElement('button');
    created.type = 'button';
    created.textContent = text;
    created.setAttribute('aria-label', `${text} ${name}`);
    created.addEventListener('click', () => void runAction(`${text} ${name}`, work));
    actions.append(created);
  };
  button('Download', () => download(key, name));
  button('Link', () => showLink(key, name));
  button('Delete', async () => {
    await files.delete(key);
    logSuccess(`Deleted ${name}`, 'S3 keeps its content as an earlier version, which no user can remove.');
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
  logSuccess(`A link to ${name}`, 'Anyone with this link can read the file for five minutes:', link);
}

// Logs the link as a curl command.
async function shareUpload(name: string): Promise<void> {
  const about = 'Anyone with this can upload the file once within 15 minutes:';
  logSuccess(`A link to upload ${name}`, about, `curl -H 'If-None-Match: *' -T FILE '${await files.uploadLink(name)}'`);
}

function bindSharing(): void {
  element('share').addEventListener('submit', (event) => {
    event.preventDefault();
    const name = element<HTMLInputElement>('share-name').value;
    void runAction(`Share an upload of ${name}`, () => shareUpload(name));
  });
}

let uploadAbort = new AbortController();

async function upload(file: File): Promise<void> {
  uploadAbort = new AbortController();
  const began = performance.now();
  const show = ({ sent, of }: { sent: number; of: number }) => {
    element<HTMLProgressElement>('progress').value = of === 0 ? 1 : sent / of;
    const percent = of === 0 ? 100 : Math.floor((100 * sent) / of);
    element('progress-text').textContent = `${file.name}: ${formatSize(sent)} of ${formatSize(of)} (${percent} %)`;
  };
  element('transfer').hidden = false;
  try {
    const stored = await files.upload(file, { onProgress: show, signal: uploadAbort.signal });
    const seconds = (performance.now() - began) / 1000;
    logSuccess(`Uploaded ${file.name}`, `${formatSize(file.size)} in ${seconds.toFixed(1)} s, directly to S3. Value for a record:`, JSON.stringify(stored));
  } finally {
    element('transfer').hidden = true;
    element<HTMLInputElement>('file').value = '';
  }
  await showFiles();
}

function bindFileInput(): void {
  const input = element<HTMLInputElement>('file');
  const start = (file: File | undefined) => {
    if (file) void runAction(`Upload ${file.name}`, () => upload(file));
  };
  input.addEventListener('change', () => start(input.files?.[0]));
  element('cancel').addEventListener('click', () => uploadAbort.abort());
  const drop = element('drop');
  drop.addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  drop.addEventListener('dragleave', () => drop.classList.remove('over'));
  drop.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    if (auth.currentUser) start(event.dataTransfer?.files[0]);
  });
}

function bindDeniedExamples(): void {
  const buttons = deniedExamples(setup.others, settings, files).map(({ title, about, work }) => {
    const button = document.createElement('button');
    const small = document.createElement('small');
    button.type = 'button';
    small.textContent = about;
    button.append(title, small);
    button.addEventListener('click', () =>
      void runAction(title, async () => {
        await work();
        logSuccess(title, 'This was allowed: the policies of this cloud have been changed.');
      }),
    );
    return button;
  });
  element('denied-examples').replaceChildren(...buttons);
}

showApps();
showUsers();
bindFileInput();
bindSharing();
bindDeniedExamples();
auth.onAuthStateChanged((user) => void showUser(user));
