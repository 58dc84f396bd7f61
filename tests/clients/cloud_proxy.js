// SPDX-License-Identifier: Apache-2.0
// Between an application and the local cloud: passes everything on as it is (the Host is signed), writes down whose
// access key each request was signed with, and may let credentials end sooner than the cloud says.
import { createServer, get, request as forward } from 'node:http';

import { ready } from './ready.js';

const cloud = new URL(ready.aws);

function shortened(body, seconds) {
    const answer = JSON.parse(body);
    if (answer.Credentials) answer.Credentials.Expiration = Date.now() / 1000 + seconds;
    return JSON.stringify(answer);
}

export async function startProxy({ credentialSeconds } = {}) {
    const seen = []; // {operation or method, path, key}
    const proxy = { seen, onRequest: undefined };
    const server = createServer((request, response) => {
        const target = request.headers['x-amz-target']?.split('.')[1];
        const entry = {
            method: target ?? request.method,
            path: request.url,
            key: request.headers['authorization']?.match(/Credential=(\w+)/)?.[1],
        };
        seen.push(entry);
        proxy.onRequest?.(entry);
        const passed = forward({ host: cloud.hostname, port: cloud.port, method: request.method, path: request.url, headers: request.headers });
        passed.on('response', (answer) => {
            if (target !== 'GetCredentialsForIdentity' || credentialSeconds === undefined) {
                response.writeHead(answer.statusCode, answer.headers);
                answer.pipe(response);
                return;
            }
            const pieces = [];
            answer.on('data', (piece) => pieces.push(piece));
            answer.on('end', () => {
                const { 'content-length': _, ...headers } = answer.headers;
                response.writeHead(answer.statusCode, headers);
                response.end(shortened(Buffer.concat(pieces), credentialSeconds));
            });
        });
        passed.on('error', () => response.destroy());
        response.on('close', () => passed.destroy());
        request.pipe(passed);
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    proxy.url = `http://127.0.0.1:${server.address().port}`;
    // Whatever is seen after this was sent after it: what clients sent before, and still lies in their sockets, is gone.
    proxy.cutOff = async () => {
        // Connections are accepted in the order they were made, so those made before this one are known when it answers.
        await new Promise((answered, failed) => {
            get(proxy.url, { agent: false }, (answer) => answer.resume().on('end', answered)).on('error', failed);
        });
        server.closeAllConnections();
    };
    proxy.stop = () => new Promise((done) => {
        server.close(done);
        server.closeAllConnections();
    });
    return proxy;
}
