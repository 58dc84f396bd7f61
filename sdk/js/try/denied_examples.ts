// SPDX-License-Identifier: Apache-2.0
// Operations on the page that are denied.
import { PutBucketPolicyCommand, PutObjectCommand } from '@aws-sdk/client-s3';

import { Files, type StorageSettings } from '../src/storage.js';
import type { Neighbour } from './try.js';

export interface DeniedExample {
  title: string;
  about: string;
  work: () => Promise<void>;
}

// Fetches a link without the SDK, as a browser does. Errors of S3 are XML.
async function followLink(url: string): Promise<void> {
  const response = await fetch(url);
  if (response.ok) return;
  const xml = new DOMParser().parseFromString(await response.text(), 'application/xml');
  const text = (name: string) => xml.querySelector(name)?.textContent ?? '';
  throw Object.assign(new Error(text('Message')), {
    name: text('Code'),
    $metadata: { httpStatusCode: response.status, requestId: text('RequestId') },
  });
}

// Runs an operation as the signed-in user with the settings of another app.
async function withSettings(settings: StorageSettings, work: (files: Files) => Promise<unknown>): Promise<void> {
  const files = new Files(settings);
  try {
    await work(files);
  } finally {
    files.close();
  }
}

function examplesFor(other: Neighbour, settings: StorageSettings): DeniedExample[] {
  const bucketOfOther = { ...settings, bucket: other.bucket };
  const about = `Your credentials, bucket ${other.bucket}`;
  return [
    {
      title: `Read from ${other.title}`,
      about,
      work: () => withSettings(bucketOfOther, (files) => files.download('users/another/report.pdf')),
    },
    {
      title: `Upload to ${other.title}`,
      about,
      work: () => withSettings(bucketOfOther, (files) => files.upload(new Blob(['mine']), { name: 'mine.txt' })),
    },
    {
      title: `Use your token for ${other.title}`,
      about: 'Your ID token, identity pool of another app',
      work: () => withSettings({ ...settings, identityPool: other.identityPool }, (files) => files.list()),
    },
  ];
}

export function deniedExamples(others: Neighbour[], settings: StorageSettings, files: Files): DeniedExample[] {
  const [other] = others;
  return [
    ...(other ? examplesFor(other, settings) : []),
    {
      title: "Read another user's file",
      about: 'Your credentials, a key below the folder of another user',
      work: async () => {
        await files.download('users/another/report.pdf');
      },
    },
    {
      title: 'Replace a file',
      about: 'PutObject without If-None-Match, which your role requires',
      work: async () => {
        const Key = `${await files.folder()}report.pdf`;
        const command = new PutObjectCommand({ Bucket: settings.bucket, Key, Body: 'changed' });
        await files.withClient((client) => client.send(command));
      },
    },
    {
      title: "Delete in another user's folder",
      about: 'A key outside your folder: rejected before it is sent',
      work: () => files.delete('users/another/report.pdf'),
    },
    {
      title: 'Change a link',
      about: 'Signed for one file, used for another',
      work: async () => {
        const link = await files.link(`${await files.folder()}one.txt`, 60);
        await files.withClient(() => followLink(link.replace('one.txt', 'another.txt')));
      },
    },
    {
      title: 'Open the bucket to the world',
      about: 'PutBucketPolicy, which your role does not have',
      work: async () => {
        const command = new PutBucketPolicyCommand({ Bucket: settings.bucket, Policy: '{}' });
        await files.withClient((client) => client.send(command));
      },
    },
  ];
}
