-- SPDX-License-Identifier: Apache-2.0
GRANT SELECT, INSERT, UPDATE, DELETE ON integreat.idempotency_keys TO {app};
