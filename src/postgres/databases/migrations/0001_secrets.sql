-- SPDX-License-Identifier: Apache-2.0
-- owner: database
-- databases: platform
-- formerly: 5 1647da56c8d1df25
--
-- Secrets that all instances of the platform share, created by the first instance that needs one.
CREATE TABLE integreat.secrets (
    name       text        PRIMARY KEY,
    secret     bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
