-- SPDX-License-Identifier: Apache-2.0
GRANT SELECT (id, xid, at, collection, record, version, action, transition, state) ON integreat.changes TO {app};
-- The login role follows changes, and reads the records themselves in the role of each caller.
DROP POLICY IF EXISTS follow ON integreat.changes;
CREATE POLICY follow ON integreat.changes FOR SELECT TO {app} USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON integreat.followers TO {app};
GRANT SELECT ON integreat.models TO {app};
