// SPDX-License-Identifier: Apache-2.0
// A typical JavaScript service with the same three routes and checks: it verifies the token, sets the
// identity of the caller for row-level security in each transaction, and validates filters and bodies.
// Usage: service.mjs PORT KEY.pem ISSUER AUDIENCE CONNECTIONS. PGHOST, PGUSER and so on select the database.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

import express from 'express';
import jwt from 'jsonwebtoken';
import pg from 'pg';

const [port, keyFile, issuer, audience, connections] = process.argv.slice(2);
const key = readFileSync(keyFile);
const pool = new pg.Pool({ max: Number(connections) });
const columns =
    'id, customer, reference, status, quantity, price, due::text, email, phone, remarks, ' +
    'created_at, created_by, updated_at, version';
const statuses = new Set(['open', 'packed', 'sent']);

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

async function queryAs(user, statement) {
    const client = await pool.connect();
    try {
        await client.query('BEGIN');
        await client.query({
            name: 'set-role',
            text: "SELECT set_config('role', $1, true), set_config('integreat.uid', $2, true)",
            values: [`tenant_shop__${user.role}`, user.sub],
        });
        const { rows } = await client.query(statement);
        await client.query('COMMIT');
        return rows;
    } catch (error) {
        await client.query('ROLLBACK');
        throw error;
    } finally {
        client.release();
    }
}

function toJson(row) {
    return { ...row, price: { amount: Number(row.price), currency: 'PHP' } };
}

function validationErrors(body) {
    const errors = [];
    const wrong = (pointer, detail) => errors.push({ pointer: `#/${pointer}`, detail });
    const text = (name, longest) => {
        const value = body[name];
        if (value != null && (typeof value !== 'string' || value.length > longest)) wrong(name, 'must be a text');
    };
    if (typeof body.reference !== 'string') wrong('reference', 'is required');
    text('reference', 40);
    text('remarks', 500);
    if (body.status !== undefined && !statuses.has(body.status)) wrong('status', 'must be one of its values');
    if (!Number.isInteger(body.quantity) || body.quantity < 1 || body.quantity > 1000)
        wrong('quantity', 'must be an integer from 1 to 1000');
    if (!Number.isSafeInteger(body.price?.amount) || body.price.currency !== 'PHP') wrong('price', 'must be money');
    if (body.due != null && !/^\d{4}-\d{2}-\d{2}$/.test(body.due)) wrong('due', 'must be a date');
    if (body.email != null && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(body.email)) wrong('email', 'must be an address');
    if (body.phone != null && !/^\+63\d{10}$/.test(body.phone)) wrong('phone', 'must be a number');
    return errors;
}

const app = express();
app.disable('x-powered-by');
app.use(authenticate);
app.get('/v1/apps/shop/:collection/:id', async (request, response) => {
    const { collection, id } = request.params;
    if (collection !== 'orders' && collection !== 'archive') return response.sendStatus(404);
    const [row] = await queryAs(request.user, {
        name: `get-${collection}`,
        text: `SELECT ${columns} FROM data.${collection} WHERE id = $1`,
        values: [id],
    });
    if (!row) return response.sendStatus(404);
    return response.set('ETag', `"${row.version}"`).json(toJson(row));
});
app.get('/v1/apps/shop/:collection', async (request, response) => {
    const { collection } = request.params;
    if (collection !== 'orders' && collection !== 'archive') return response.sendStatus(404);
    const status = request.query.status?.replace(/^eq\./, '');
    if (!statuses.has(status)) return response.sendStatus(400);
    const limit = Math.min(Number(request.query.limit ?? 20), 200);
    const rows = await queryAs(request.user, {
        name: `list-${collection}`,
        text:
            `SELECT ${columns} FROM data.${collection} WHERE status = $1 ` +
            'ORDER BY created_at DESC, id DESC LIMIT $2',
        values: [status, limit + 1],
    });
    const last = rows.length > limit ? rows[limit - 1] : null;
    const next = last && Buffer.from(`${last.created_at.toISOString()} ${last.id}`).toString('base64url');
    return response.json({ items: rows.slice(0, limit).map(toJson), next });
});
app.post('/v1/apps/shop/orders', express.json({ limit: '1mb' }), async (request, response) => {
    const { body, user } = request;
    const errors = validationErrors(body);
    if (errors.length > 0) return response.status(400).json({ type: 'invalid-request', errors });
    const [row] = await queryAs(user, {
        name: 'create',
        text:
            'INSERT INTO data.orders (id, customer, reference, status, quantity, price, due, email, phone, remarks) ' +
            `VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING ${columns}`,
        values: [
            randomUUID(), user.sub, body.reference, body.status ?? 'open', body.quantity, body.price.amount,
            body.due, body.email, body.phone, body.remarks,
        ],
    });
    return response.status(201).set('ETag', '"1"').json(toJson(row));
});
app.listen(Number(port), '127.0.0.1');
