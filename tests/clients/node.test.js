// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';

import { backend, check, configFor } from './expected.js';
import { flow } from './flow.js';

test('the Firebase JS SDK works in Node', { timeout: 120_000 }, async () => {
    const config = configFor('node');
    check(await flow(config, backend()), config);
});
