-- SPDX-License-Identifier: Apache-2.0
-- owner: transaction_log
-- databases: platform
-- formerly: 3 c164225b197e232d
--
-- One row per request. The role that serves requests may only insert and read rows; it creates and drops the
-- daily partitions with the two functions, which run as the owner.
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

-- The last batch of each writing process, so that a batch whose commit was interrupted is not stored twice.
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
