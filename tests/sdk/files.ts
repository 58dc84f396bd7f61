// SPDX-License-Identifier: Apache-2.0
// One import for an app with records and their files. This only has to compile; tests/clients/files.test.js runs the
// functions.
import { initializeApp } from 'firebase/app';
import { getAuth } from 'firebase/auth';

import { CampusClient, Files, StorageError, type FileLink, type StoredFile } from './campus.js';

const auth = getAuth(initializeApp({ apiKey: 'key', projectId: 'campus-student-lifecycle' }));
const campus = new CampusClient({ baseUrl: 'https://api.example.ph', token: () => auth.currentUser?.getIdToken() });
const files = new Files({
  auth,
  firebaseProject: 'campus-student-lifecycle',
  identityPool: 'us-east-1:00000000-0000-0000-0000-000000000000',
  bucket: 'campus-student-lifecycle-tenant-bucket',
});

export async function submit(applicant: string, file: File): Promise<string> {
  try {
    const report_card: StoredFile = await files.upload(file, { onProgress: ({ sent, of }) => console.log(sent / of) });
    await campus.applicants.patch(applicant, { report_card });
    return report_card.key;
  } catch (failure) {
    if (failure instanceof StorageError) return `${failure.name}: ${failure.remedy} (${failure.requestId ?? 'not sent'})`;
    throw failure;
  }
}

export async function open(applicant: string): Promise<string> {
  const link: FileLink = await campus.applicants.file(applicant, 'report_card');
  return link.url;
}

// @ts-expect-error A field that is no file.
export const wrong = (applicant: string) => campus.applicants.file(applicant, 'family_name');

// @ts-expect-error The setting bucket is required.
export const incomplete = () => new Files({ auth, firebaseProject: 'p', identityPool: 'us-east-1:0' });
