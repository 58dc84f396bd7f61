-- SPDX-License-Identifier: Apache-2.0
-- owner: collections
-- databases: tenant
-- formerly: 4 7c8a865ca1b2a2d7
--
-- The objects that the collections of an app need besides their tables, which are created from its model.
-- A trigger records each change in the transaction that makes it, as the owner, so that callers who change
-- records cannot change the history. Identities come from integreat.uid() and integreat.request(). `xid`
-- orders changes whose transactions commit out of order: all changes before the oldest running transaction
-- are visible.
CREATE SCHEMA data;

CREATE FUNCTION integreat.transition() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(pg_catalog.current_setting('integreat.transition', true), '');

-- RFC 9562, version 7: 48 bits of milliseconds before the random bits, so that new records are adjacent in
-- indexes.
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

-- Processes that LISTEN to integreat_changes, with the expiry of their registration.
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
        -- A change that a trigger makes because of a transition of another record is an update.
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
    -- Commits that notify are serialized until they reach the disk: notify only while a process listens.
    IF EXISTS (SELECT FROM integreat.followers WHERE until > now()) THEN
        PERFORM pg_notify('integreat_changes', TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION integreat.note_change() FROM PUBLIC;

-- The models that were applied to the tables, the current one last, and notes on backups.
CREATE TABLE integreat.models (
    number      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint text        NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now(),
    destructive boolean     NOT NULL DEFAULT false,
    backup_note text
);

-- Erasures of personal data. The hash confirms a known subject and does not reveal it.
CREATE TABLE integreat.erasures (
    number       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT now(),
    subject_hash text        NOT NULL,
    records      bigint      NOT NULL,
    changes      bigint      NOT NULL
);
