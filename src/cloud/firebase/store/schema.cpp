// SPDX-License-Identifier: Apache-2.0
// The tables, as numbered migrations; new ones are only appended. Every key of a user includes the project,
// so a query that omits the project cannot match another project's user.
#include "cloud/firebase/store/schema.h"

namespace integreat::firebase {

namespace {

constexpr std::int64_t application_id = 0x49544642;  // "ITFB", in the file's header.

constexpr const char* create_tables = R"(
CREATE TABLE projects (
    project_id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    api_key TEXT NOT NULL UNIQUE,
    project_number TEXT NOT NULL,
    password_enabled INTEGER NOT NULL DEFAULT 1,
    email_link_enabled INTEGER NOT NULL DEFAULT 1,
    anonymous_enabled INTEGER NOT NULL DEFAULT 1,
    email_privacy INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE service_accounts (
    project_id TEXT PRIMARY KEY REFERENCES projects,
    email TEXT NOT NULL UNIQUE,
    key_id TEXT NOT NULL,
    private_key TEXT NOT NULL
) STRICT;

CREATE TABLE signing_keys (
    key_id TEXT PRIMARY KEY,
    private_key TEXT,
    certificate TEXT NOT NULL,
    created_s INTEGER NOT NULL,
    retired_s INTEGER
) STRICT;
CREATE UNIQUE INDEX signing_keys_active ON signing_keys ((1)) WHERE retired_s IS NULL;

CREATE TABLE users (
    project_id TEXT NOT NULL REFERENCES projects,
    uid TEXT NOT NULL,
    email TEXT,
    initial_email TEXT,
    email_verified INTEGER NOT NULL,
    email_link INTEGER NOT NULL,
    display_name TEXT,
    photo_url TEXT,
    phone_number TEXT,
    password_hash BLOB,
    password_salt BLOB,
    password_log2_n INTEGER,
    password_r INTEGER,
    password_p INTEGER,
    password_updated_ms INTEGER,
    custom_auth INTEGER NOT NULL,
    disabled INTEGER NOT NULL,
    claims TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    last_login_ms INTEGER,
    last_refresh_ms INTEGER,
    valid_since_s INTEGER NOT NULL,
    PRIMARY KEY (project_id, uid)
) STRICT;
CREATE UNIQUE INDEX users_email ON users (project_id, email) WHERE email IS NOT NULL;
CREATE UNIQUE INDEX users_phone ON users (project_id, phone_number) WHERE phone_number IS NOT NULL;
CREATE INDEX users_initial_email ON users (project_id, initial_email) WHERE initial_email IS NOT NULL;

CREATE TABLE provider_links (
    project_id TEXT NOT NULL,
    uid TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    raw_id TEXT NOT NULL,
    email TEXT,
    display_name TEXT,
    photo_url TEXT,
    PRIMARY KEY (project_id, provider_id, raw_id),
    UNIQUE (project_id, uid, provider_id),
    FOREIGN KEY (project_id, uid) REFERENCES users ON DELETE CASCADE
) STRICT;

CREATE TABLE refresh_tokens (
    hash BLOB PRIMARY KEY,
    project_id TEXT NOT NULL,
    uid TEXT NOT NULL,
    sign_in_provider TEXT NOT NULL,
    claims TEXT NOT NULL,
    auth_time_s INTEGER NOT NULL,
    issued_s INTEGER NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX refresh_tokens_user ON refresh_tokens (project_id, uid, issued_s);

CREATE TABLE oob_codes (
    code TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES projects,
    kind TEXT NOT NULL,
    email TEXT NOT NULL,
    new_email TEXT,
    link TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_s INTEGER NOT NULL
) STRICT;
CREATE INDEX oob_codes_email ON oob_codes (project_id, email, created_ms);

CREATE TABLE ready_made_users (
    project_id TEXT NOT NULL REFERENCES projects,
    uid TEXT NOT NULL,
    email TEXT NOT NULL,
    role TEXT NOT NULL,
    password TEXT NOT NULL,
    password_updated_ms INTEGER NOT NULL,
    PRIMARY KEY (project_id, email)
) STRICT;
)";

constexpr const char* migrations[] = {create_tables};

}  // namespace

const sqlite::Schema users_schema{
    .contents = "users", .file = "users.sqlite", .application_id = application_id, .migrations = migrations};

}  // namespace integreat::firebase
