-- SPDX-License-Identifier: Apache-2.0
-- owner: idempotency
-- databases: platform, tenant
-- formerly: 1 cc8a11b887469aaa
--
-- Responses of requests that carried an Idempotency-Key. `running` rows belong to proxied requests, which
-- cannot be part of our transaction; a request that is one transaction inserts its row as `done`.
CREATE TABLE integreat.idempotency_keys (
    tenant       text        NOT NULL,
    principal    text        NOT NULL,
    key          text        NOT NULL,
    fingerprint  bytea       NOT NULL,
    state        text        NOT NULL CHECK (state IN ('running', 'done')),
    claim        uuid        NOT NULL DEFAULT gen_random_uuid(),
    status       smallint,
    headers      bytea,
    body         bytea,
    created_at   timestamptz NOT NULL DEFAULT now(),
    lease_until  timestamptz,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant, principal, key),
    CHECK (CASE state WHEN 'running' THEN lease_until IS NOT NULL
                      ELSE status IS NOT NULL AND headers IS NOT NULL AND body IS NOT NULL END)
);
CREATE INDEX idempotency_keys_expiry ON integreat.idempotency_keys (expires_at);
