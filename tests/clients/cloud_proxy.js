// SPDX-License-Identifier: Apache-2.0
// A proxy between an application and the local cloud: it forwards requests unchanged (Host is signed), records the
// access key of each request, and can shorten the lifetime of credentials.
import { createServer, get, request as forward } from 'node:http';

import { ready } from './ready.js';

const cloud = new URL(ready.aws);

function shortenLifetime(body, seconds) {
    const content = JSON.parse(body);
    if (content.Credentials) content.Credentials.Expiration = Date.now() / 1000 + seconds;
    return JSON.stringify(content);
}

export async function startProxy({ credentialSeconds } = {}) {
    const requests = []; // {method (or operation), path, key}
    const proxy = { requests, onRequest: undefined };
    const server = createServer((request, response) => {
        const target = request.headers['x-amz-target']?.split('.')[1];
        const entry = {
            method: target ?? request.method,
            path: request.url,
            key: request.headers['authorization']?.match(/Credential=(\w+)/)?.[1],
        };
        requests.push(entry);
        proxy.onRequest?.(entry);
        const forwarded = forward({ host: cloud.hostname, port: cloud.port, method: request.method, path: request.url, headers: request.headers });
        forwarded.on('response', (upstream) => {
            if (target !== 'GetCredentialsForIdentity' || credentialSeconds === undefined) {
                response.writeHead(upstream.statusCode, upstream.headers);
                upstream.pipe(response);
                return;
            }
            const chunks = [];
            upstream.on('data', (chunk) => chunks.push(chunk));
            upstream.on('end', () => {
                const { 'content-length': _, ...headers } = upstream.headers;
                response.writeHead(upstream.statusCode, headers);
                response.end(shortenLifetime(Buffer.concat(chunks), credentialSeconds));
            });
        });
        forwarded.on('error', () => response.destroy());
        response.on('close', () => forwarded.destroy());
        request.pipe(forwarded);
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    proxy.url = `http://127.0.0.1:${server.address().port}`;
    // Closes all connections: requests that clients had already sent, and that are still in socket buffers, are lost.
    proxy.closeConnections = async () => {
        // Connections are accepted in order, so all earlier ones are known when this one gets a response.
        await new Promise((resolve, reject) => {
            get(proxy.url, { agent: false }, (response) => response.resume().on('end', resolve)).on('error', reject);
        });
        server.closeAllConnections();
    };
    proxy.stop = () => new Promise((done) => {
        server.close(done);
        server.closeAllConnections();
    });
    return proxy;
}
