// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "postgres/databases/migrations.h"

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

// What the collections of an app need besides their tables, which are made from its model (services/data/).
// A change is noted by a trigger in the transaction that makes it, by the owner, so that those who change
// records cannot change what is known of it. Identities are taken from what the pool says at the beginning of
// each transaction. `xid` orders what commits out of order: all before the oldest running one are there.
constexpr std::string_view collections = R"sql(
CREATE SCHEMA data;

CREATE FUNCTION integreat.uid() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(pg_catalog.current_setting('integreat.uid', true), '');
CREATE FUNCTION integreat.request() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(pg_catalog.current_setting('integreat.request', true), '');
CREATE FUNCTION integreat.transition() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(pg_catalog.current_setting('integreat.transition', true), '');

-- RFC 9562, version 7: 48 bits of milliseconds before the random ones, so that new records lie together.
CREATE FUNCTION integreat.new_id() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid;

CREATE TABLE integreat.changes (
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    xid        xid8        NOT NULL DEFAULT pg_current_xact_id(),
    at         timestamptz NOT NULL DEFAULT now(),
    collection text        NOT NULL,
    record     uuid        NOT NULL,
    version    bigint      NOT NULL,
    action     text        NOT NULL CHECK (action IN ('create', 'update', 'transition', 'delete')),
    transition text,
    state      text,
    uid        text,
    role       text        NOT NULL,
    request    text,
    before     jsonb,
    after      jsonb,
    PRIMARY KEY (collection, xid, id)
);
CREATE INDEX changes_record ON integreat.changes (record, id);
ALTER TABLE integreat.changes ENABLE ROW LEVEL SECURITY;

-- Processes that LISTEN to integreat_changes, and until when they said so.
CREATE TABLE integreat.followers (
    process uuid        PRIMARY KEY,
    until   timestamptz NOT NULL
);

CREATE FUNCTION integreat.note_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    was    jsonb;
    became jsonb;
    record jsonb;
    what   text;
    named  text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        what := 'create';
        record := to_jsonb(NEW);
        became := jsonb_strip_nulls(record - '{version,updated_at}'::text[]);
    ELSIF TG_OP = 'DELETE' THEN
        what := 'delete';
        record := to_jsonb(OLD);
        was := jsonb_strip_nulls(record - '{version,updated_at}'::text[]);
    ELSE
        was := to_jsonb(OLD);
        record := to_jsonb(NEW);
        -- What a trigger changes because of a transition elsewhere is none.
        IF was ->> 'deleted_at' IS NULL AND record ->> 'deleted_at' IS NOT NULL THEN
            what := 'delete';
        ELSIF pg_trigger_depth() = 1 AND integreat.transition() IS NOT NULL THEN
            what := 'transition';
            named := integreat.transition();
        ELSE
            what := 'update';
        END IF;
        SELECT jsonb_object_agg(n.key, was -> n.key), jsonb_object_agg(n.key, n.value) INTO was, became
        FROM jsonb_each(record) AS n
        WHERE n.value <> was -> n.key AND n.key <> 'version' AND n.key <> 'updated_at';
    END IF;
    INSERT INTO integreat.changes (collection, record, version, action, transition, state, uid, role, request,
                                   before, after)
    VALUES (TG_TABLE_NAME, (record ->> 'id')::uuid, (record ->> 'version')::bigint, what, named,
            record ->> 'state', integreat.uid(), current_setting('role'), integreat.request(), was, became);
    -- Commits that notify wait for each other to reach the disk: only while somebody listens.
    IF EXISTS (SELECT FROM integreat.followers WHERE until > now()) THEN
        PERFORM pg_notify('integreat_changes', TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION integreat.note_change() FROM PUBLIC;

-- Which model of the app the tables are of, the last one; what was done with which backup in mind.
CREATE TABLE integreat.models (
    number      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint text        NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now(),
    destructive boolean     NOT NULL DEFAULT false,
    backup_note text
);

-- That somebody's personal data were erased; whose they were can only be confirmed, by those who know it.
CREATE TABLE integreat.erasures (
    number       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT now(),
    subject_hash text        NOT NULL,
    records      bigint      NOT NULL,
    changes      bigint      NOT NULL
);
)sql";

// Keys that all instances of the platform share, made by the first that needs one.
constexpr std::string_view secrets = R"sql(
CREATE TABLE integreat.secrets (
    name       text        PRIMARY KEY,
    secret     bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
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
    // The login role follows what changes, and reads it in the name of those who ask.
    Migration{4, "collections", false, true, collections,
              "GRANT SELECT (id, xid, at, collection, record, version, action, transition, state)"
              " ON integreat.changes TO {app};"
              "DROP POLICY IF EXISTS follow ON integreat.changes;"
              "CREATE POLICY follow ON integreat.changes FOR SELECT TO {app} USING (true);"
              "GRANT SELECT, INSERT, UPDATE, DELETE ON integreat.followers TO {app};"
              "GRANT SELECT ON integreat.models TO {app};"},
    Migration{5, "secrets", true, false, secrets, "GRANT SELECT, INSERT ON integreat.secrets TO {app};"},
};

}  // namespace

std::span<const Migration> migrations() {
    return all;
}

}  // namespace integreat::postgres
