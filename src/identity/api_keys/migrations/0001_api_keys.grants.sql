-- SPDX-License-Identifier: Apache-2.0
GRANT SELECT, INSERT, UPDATE ON integreat.api_keys TO {app};
