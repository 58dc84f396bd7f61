// SPDX-License-Identifier: Apache-2.0
// A typical JavaScript gateway, written as the manuals of the three packages recommend: it verifies the RS256
// token, then forwards the request.
// Usage: gateway.mjs PORT UPSTREAM KEY.pem ISSUER AUDIENCE
import { readFileSync } from 'node:fs';
import http from 'node:http';

import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import jwt from 'jsonwebtoken';

const [port, upstream, keyFile, issuer, audience] = process.argv.slice(2);
const key = readFileSync(keyFile);

function authenticate(request, response, next) {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    try {
        request.user = jwt.verify(token, key, { algorithms: ['RS256'], issuer, audience });
    } catch (error) {
        response.status(401).json({ type: 'token-refused', detail: error.message });
        return;
    }
    next();
}

const app = express();
app.disable('x-powered-by');
app.use(authenticate);
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
app.use(createProxyMiddleware({ target: upstream, agent }));
app.listen(Number(port), '127.0.0.1');
