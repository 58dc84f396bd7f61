// SPDX-License-Identifier: Apache-2.0
// How the page says what happened. Texts of others are only ever set as text.
import { StorageError } from '../src/storage.js';

export function element<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as Kind;
}

export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB'];
  let size = bytes / 1024;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size.toFixed(1)} ${units[unit] ?? ''}`;
}

function made(tag: string, text: string, className = ''): HTMLElement {
  const one = document.createElement(tag);
  one.textContent = text;
  if (className) one.className = className;
  return one;
}

function add(entry: HTMLElement): void {
  element('nothing-said').hidden = true;
  element('said').prepend(entry);
}

function entryOf(title: string, badge: HTMLElement): HTMLElement {
  const entry = document.createElement('li');
  const heading = document.createElement('h3');
  heading.append(badge, title);
  entry.append(heading);
  return entry;
}

export function say(title: string, text: string, code = ''): void {
  const entry = entryOf(title, made('span', 'done', 'badge done'));
  entry.append(made('p', text));
  if (code) entry.append(made('pre', code));
  add(entry);
}

export function sayRefusal(title: string, failure: unknown): void {
  const error = failure as Error;
  const entry = entryOf(title, made('span', error.name, 'badge'));
  entry.className = 'refused';
  entry.append(made('p', error.message));
  if (failure instanceof StorageError) {
    const remedy = made('p', '');
    remedy.append(made('strong', 'What to change: '), failure.remedy);
    entry.append(remedy);
    if (failure.decision) {
      const details = document.createElement('details');
      const inside = document.createElement('div');
      inside.append(made('pre', failure.decision.explanation));
      details.append(made('summary', 'Why: what the local cloud decided'), inside);
      details.open = true;
      entry.append(details);
    }
    if (failure.requestId) entry.append(made('pre', `integreat why ${failure.requestId}`));
  }
  add(entry);
}
