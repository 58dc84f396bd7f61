// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "postgres/migrations.h"

namespace integreat::postgres {

namespace {

// Results of requests that carried an Idempotency-Key. `running` rows belong to relays, which cannot be part
// of our transaction; what is done in one is inserted as `done` by it.
constexpr std::string_view idempotency_keys = R"sql(
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
)sql";

// `change` grows with each change in the order of commits (api_keys.cpp), so that "what is new since 17" is
// never incomplete.
constexpr std::string_view api_keys = R"sql(
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
)sql";

// One row per request. The role that serves requests may add and read rows and nothing else; it makes and
// drops the partitions, one per day, by the two functions, which act as the owner.
constexpr std::string_view transaction_log = R"sql(
CREATE TABLE integreat.transaction_log (
    created_at      timestamptz NOT NULL,
    request_id      text        NOT NULL,
    trace_id        text,
    tenant          text,
    principal_kind  text,
    principal       text,
    role            text,
    destination     text,
    api_version     text,
    method          text,
    route           text,
    url             text,
    request_headers jsonb,
    request_body    text,
    status          smallint,
    response_bytes  bigint,
    response_body   text,
    duration_us     bigint,
    upstream_us     bigint,
    error_type      text,
    cause           text,
    decision        jsonb,
    client_ip       text,
    country         text,
    region          text,
    city            text,
    zip             text,
    latitude        double precision,
    longitude       double precision
) PARTITION BY RANGE (created_at);
CREATE INDEX transaction_log_request ON integreat.transaction_log (request_id);
CREATE INDEX transaction_log_time ON integreat.transaction_log USING brin (created_at);

-- The last batch of each writing process, so that one whose commit was interrupted is not stored twice.
CREATE TABLE integreat.transaction_log_writers (
    writer     uuid        PRIMARY KEY,
    batch      bigint      NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION integreat.prepare_transaction_log(first date, last date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    day  date;
    name text;
BEGIN
    IF last - first > 400 THEN
        RAISE EXCEPTION 'the transaction log is prepared for at most 400 days at a time';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('integreat.transaction_log', 0));
    FOR day IN SELECT generate_series(first, last, interval '1 day')::date LOOP
        name := 'transaction_log_' || to_char(day, 'YYYYMMDD');
        IF to_regclass('integreat.' || quote_ident(name)) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE integreat.%I PARTITION OF integreat.transaction_log '
                'FOR VALUES FROM (%L) TO (%L)',
                name, day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION integreat.drop_transaction_log(before date) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    name    text;
    dropped int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('integreat.transaction_log', 0));
    FOR name IN
        SELECT child.relname FROM pg_inherits
        JOIN pg_class child ON child.oid = inhrelid
        WHERE inhparent = 'integreat.transaction_log'::regclass
          AND child.relname < 'transaction_log_' || to_char(before, 'YYYYMMDD')
        ORDER BY child.relname
    LOOP
        EXECUTE format('DROP TABLE integreat.%I', name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

REVOKE EXECUTE ON FUNCTION integreat.prepare_transaction_log(date, date),
                           integreat.drop_transaction_log(date) FROM PUBLIC;
)sql";

constexpr std::array all{
    Migration{1, "idempotency_keys", true, true, idempotency_keys,
              "GRANT SELECT, INSERT, UPDATE, DELETE ON integreat.idempotency_keys TO {app};"},
    Migration{2, "api_keys", true, false, api_keys,
              "GRANT SELECT, INSERT, UPDATE ON integreat.api_keys TO {app};"},
    Migration{3, "transaction_log", true, false, transaction_log,
              "GRANT SELECT, INSERT ON integreat.transaction_log TO {app};"
              "GRANT SELECT, INSERT, UPDATE, DELETE ON integreat.transaction_log_writers TO {app};"
              "GRANT EXECUTE ON FUNCTION integreat.prepare_transaction_log(date, date),"
              " integreat.drop_transaction_log(date) TO {app};"},
};

}  // namespace

std::span<const Migration> migrations() {
    return all;
}

}  // namespace integreat::postgres
