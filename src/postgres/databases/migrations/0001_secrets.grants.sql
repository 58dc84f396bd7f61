-- SPDX-License-Identifier: Apache-2.0
GRANT SELECT, INSERT ON integreat.secrets TO {app};
