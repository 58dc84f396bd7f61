-- SPDX-License-Identifier: Apache-2.0
-- owner: database
-- databases: tenant
-- formerly: 4 7c8a865ca1b2a2d7
--
-- The identity of the caller, which the pool sets at the beginning of each transaction (RoleContext).
CREATE FUNCTION integreat.uid() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(pg_catalog.current_setting('integreat.uid', true), '');
CREATE FUNCTION integreat.request() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(pg_catalog.current_setting('integreat.request', true), '');
