-- SPDX-License-Identifier: Apache-2.0
GRANT SELECT, INSERT ON integreat.transaction_log TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON integreat.transaction_log_writers TO {app};
GRANT EXECUTE ON FUNCTION integreat.prepare_transaction_log(date, date), integreat.drop_transaction_log(date)
    TO {app};
