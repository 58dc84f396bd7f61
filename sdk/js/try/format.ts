// SPDX-License-Identifier: Apache-2.0
// Formatting of the activity log. Text from other sources is set as textContent only, never as HTML.
import { StorageError } from '../src/storage.js';

export function element<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as Kind;
}

export function formatSize(bytes: number): string {
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

function createElement(tag: string, text: string, className = ''): HTMLElement {
  const one = document.createElement(tag);
  one.textContent = text;
  if (className) one.className = className;
  return one;
}

function add(entry: HTMLElement): void {
  element('log-empty').hidden = true;
  element('log').prepend(entry);
}

function createEntry(title: string, badge: HTMLElement): HTMLElement {
  const entry = document.createElement('li');
  const heading = document.createElement('h3');
  heading.append(badge, title);
  entry.append(heading);
  return entry;
}

export function logSuccess(title: string, text: string, code = ''): void {
  const entry = createEntry(title, createElement('span', 'done', 'badge done'));
  entry.append(createElement('p', text));
  if (code) entry.append(createElement('pre', code));
  add(entry);
}

export function logError(title: string, failure: unknown): void {
  const error = failure as Error;
  const entry = createEntry(title, createElement('span', error.name, 'badge'));
  entry.className = 'failed';
  entry.append(createElement('p', error.message));
  if (failure instanceof StorageError) {
    const remedy = createElement('p', '');
    remedy.append(createElement('strong', 'What to change: '), failure.remedy);
    entry.append(remedy);
    if (failure.decision) {
      const details = document.createElement('details');
      const inside = document.createElement('div');
      inside.append(createElement('pre', failure.decision.explanation));
      details.append(createElement('summary', 'Decision of the local cloud'), inside);
      details.open = true;
      entry.append(details);
    }
    if (failure.requestId) entry.append(createElement('pre', `integreat why ${failure.requestId}`));
  }
  add(entry);
}
