-- SPDX-License-Identifier: Apache-2.0
-- owner: api_keys
-- databases: platform
-- formerly: 2 1f0a40e760261ee2
--
-- `change` grows with each change in commit order (api_key_repository.cpp), so that a query for the changes
-- since 17 is never incomplete.
CREATE TABLE integreat.api_keys (
    id           text        PRIMARY KEY,
    tenant       text        NOT NULL,
    prefix       text        NOT NULL UNIQUE,
    hash         bytea       NOT NULL,
    name         text        NOT NULL,
    scopes       text[]      NOT NULL,
    created_at   timestamptz NOT NULL,
    created_by   text        NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    change       bigint      NOT NULL UNIQUE
);
CREATE INDEX api_keys_tenant ON integreat.api_keys (tenant);
