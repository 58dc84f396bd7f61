// SPDX-License-Identifier: Apache-2.0
// What the page offers to try because it is refused.
import { PutBucketPolicyCommand } from '@aws-sdk/client-s3';

import { Files, type StorageSettings } from '../src/storage.js';
import type { Neighbour } from './try.js';

export interface Attempt {
  title: string;
  about: string;
  work: () => Promise<void>;
}

// As a browser follows a link, without the SDK: the error of S3 is XML.
async function followLink(url: string): Promise<void> {
  const answer = await fetch(url);
  if (answer.ok) return;
  const xml = new DOMParser().parseFromString(await answer.text(), 'application/xml');
  const said = (name: string) => xml.querySelector(name)?.textContent ?? '';
  throw Object.assign(new Error(said('Message')), {
    name: said('Code'),
    $metadata: { httpStatusCode: answer.status, requestId: said('RequestId') },
  });
}

// With the user who is signed in, and the settings of somebody else.
async function elsewhere(settings: StorageSettings, work: (files: Files) => Promise<unknown>): Promise<void> {
  const files = new Files(settings);
  try {
    await work(files);
  } finally {
    files.close();
  }
}

function attemptsAt(other: Neighbour, settings: StorageSettings): Attempt[] {
  const bucketOfOther = { ...settings, bucket: other.bucket };
  const about = `Your credentials, the bucket ${other.bucket}`;
  return [
    {
      title: `Read from ${other.title}`,
      about,
      work: () => elsewhere(bucketOfOther, (files) => files.download('users/somebody/report.pdf')),
    },
    {
      title: `Upload to ${other.title}`,
      about,
      work: () => elsewhere(bucketOfOther, (files) => files.upload(new Blob(['mine']), { name: 'mine.txt' })),
    },
    {
      title: `Take your token to ${other.title}`,
      about: 'Your ID token, the identity pool of another app',
      work: () => elsewhere({ ...settings, identityPool: other.identityPool }, (files) => files.folder()),
    },
  ];
}

export function attemptsOf(others: Neighbour[], settings: StorageSettings, files: Files): Attempt[] {
  const [other] = others;
  return [
    ...(other ? attemptsAt(other, settings) : []),
    {
      title: "Delete in another user's folder",
      about: 'A key that is not below yours: refused before it is sent',
      work: () => files.delete('users/us-east-1:00000000-0000-0000-0000-000000000000/report.pdf'),
    },
    {
      title: 'Change a link',
      about: 'Signed for one file, used for another',
      work: async () => {
        const link = await files.link(`${await files.folder()}one.txt`, 60);
        await files.ask(() => followLink(link.replace('one.txt', 'another.txt')));
      },
    },
    {
      title: 'Open the bucket to the world',
      about: 'PutBucketPolicy, which your role does not have',
      work: async () => {
        const command = new PutBucketPolicyCommand({ Bucket: settings.bucket, Policy: '{}' });
        await files.ask((client) => client.send(command));
      },
    },
  ];
}
