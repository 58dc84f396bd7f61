#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks with the stolen password of a tenant's login role: psql sessions with the credentials of the program, in the
databases of the four apps. Each attempt must be refused or return no record."""

import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import sign_in  # noqa: E402

APPS = ("campus", "evntgarde", "pillars", "teleo")
TABLE = {"campus": "students", "evntgarde": "bookings", "pillars": "ratings", "teleo": "donations"}

# Statements for the own database of the login; {app}, {other}, {table}, {role} and {as_role} are placeholders.
REFUSED = [
    # Becoming another role.
    "SET ROLE integreat_owner",
    "SET ROLE integreat_superuser",
    "SET ROLE postgres",
    "SET ROLE pg_read_all_data",
    "SET ROLE pg_write_all_data",
    "SET ROLE pg_execute_server_program",
    'SET ROLE "tenant_{other}_app"',
    'SET ROLE "tenant_{other}__admin"',
    'SET ROLE "tenant_{other}__none"',
    "SET SESSION AUTHORIZATION integreat_owner",
    "SET SESSION AUTHORIZATION integreat_superuser",
    'SET SESSION AUTHORIZATION "tenant_{app}__{role}"',
    "GRANT integreat_owner TO CURRENT_USER",
    'GRANT "tenant_{other}__admin" TO CURRENT_USER',
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    "ALTER ROLE CURRENT_USER CREATEROLE",
    "CREATE ROLE intruder LOGIN",
    # Reading and writing as the login itself, which has no rights on the data.
    "SELECT * FROM data.{table}",
    "SELECT count(*) FROM data.{table}",
    "TABLE data.{table}",
    "INSERT INTO data.{table} DEFAULT VALUES",
    "UPDATE data.{table} SET version = 1",
    "DELETE FROM data.{table}",
    "TRUNCATE data.{table}",
    "COPY data.{table} TO STDOUT",
    "LOCK TABLE data.{table}",
    # Disabling the policies, as the login and as a role.
    "ALTER TABLE data.{table} DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE data.{table} NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE data.{table} DISABLE TRIGGER ALL",
    "DROP TABLE data.{table}",
    "CREATE POLICY all_of_it ON data.{table} USING (true)",
    "SET session_replication_role = replica",
    "BEGIN; SET LOCAL ROLE {as_role}; SET LOCAL row_security = off; SELECT id FROM data.{table}; COMMIT",
    "BEGIN; SET LOCAL ROLE {as_role}; ALTER TABLE data.{table} DISABLE ROW LEVEL SECURITY; COMMIT",
    "BEGIN; SET LOCAL ROLE {as_role}; TRUNCATE data.{table}; COMMIT",
    "BEGIN; SET LOCAL ROLE {as_role}; SET ROLE integreat_owner; COMMIT",
    "BEGIN; SET LOCAL ROLE {as_role}; UPDATE data.{table} SET created_by = 'me'; COMMIT",
    "BEGIN; SET LOCAL ROLE {as_role}; UPDATE data.{table} SET version = 7; COMMIT",
    "BEGIN; SET LOCAL ROLE {as_role}; DELETE FROM integreat.changes; COMMIT",
    "BEGIN; SET LOCAL ROLE {as_role}; UPDATE integreat.changes SET uid = 'user-1'; COMMIT",
    "BEGIN; SET LOCAL ROLE {as_role}; INSERT INTO integreat.changes (collection) VALUES ('x'); COMMIT",
    # Shadowing functions that policies and triggers call.
    "CREATE SCHEMA intruder",
    "CREATE FUNCTION public.uid() RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$",
    "CREATE FUNCTION integreat.uid() RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$",
    "CREATE OR REPLACE FUNCTION integreat.transition() RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$",
    "CREATE TEMPORARY TABLE {table} (id uuid)",
    "CREATE TABLE public.students (id uuid)",
    "CREATE VIEW public.all_of_it AS SELECT 1",
    "DROP FUNCTION integreat.uid()",
    "ALTER SCHEMA data OWNER TO CURRENT_USER",
    "ALTER DATABASE tenant_{app} SET row_security = off",
    "COMMENT ON TABLE data.{table} IS 'mine'",
    # Access to files, programs and settings of the server.
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY (SELECT 1) TO 'intruder.txt'",
    "SELECT pg_read_file('pg_hba.conf')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_create(0)",
    "CREATE EXTENSION dblink",
    "CREATE EXTENSION file_fdw",
    "CREATE LANGUAGE plpython3u",
    "LOAD 'auto_explain'",
    "SELECT rolpassword FROM pg_authid",
    "SELECT passwd FROM pg_shadow",
    "SELECT pg_reload_conf()",
    "ALTER SYSTEM SET log_statement = 'all'",
    "CREATE DATABASE intruder",
    "CREATE PUBLICATION everything FOR ALL TABLES",
    "SELECT pg_create_logical_replication_slot('x', 'test_decoding')",
]

# Statements as a role of the app, without a user or with one who owns no records: none may return a record.
EMPTY = [
    "SELECT id FROM data.{table}",
    "SET LOCAL search_path = data, pg_catalog; SELECT id FROM {table}",
    "SET LOCAL integreat.uid = ''; SELECT id FROM data.{table}",
    "SET LOCAL integreat.uid = 'x'' OR true --'; SELECT id FROM data.{table}",
    "RESET integreat.uid; SELECT id FROM data.{table}",
    "SELECT id FROM data.{table} WHERE (SELECT true) OR 1 / (version - 1) = 1",
    "SELECT id FROM data.{table} FOR KEY SHARE",
    "SELECT a.id FROM data.{table} a FULL JOIN data.{table} b USING (id)",
    "DELETE FROM data.{table} RETURNING id",
]


VISIBLE = {
    "campus": "BEGIN; SET LOCAL ROLE tenant_campus__registrar; SELECT id FROM data.{table}; COMMIT",
    "evntgarde": "BEGIN; SET LOCAL ROLE tenant_evntgarde__customer; SET LOCAL integreat.uid = 'user-1'; "
    "SELECT id FROM data.{table}; COMMIT",
    "pillars": "BEGIN; SET LOCAL ROLE tenant_pillars__professor; SET LOCAL integreat.uid = 'user-1'; "
    "SELECT id FROM data.{table}; COMMIT",
    "teleo": "BEGIN; SET LOCAL ROLE tenant_teleo__none; SET LOCAL integreat.uid = 'user-1'; "
    "SELECT id FROM data.{table}; COMMIT",
}


class Sessions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = sign_in.start_program()
        cls.folder = cls.program.data_folder / "postgres"
        cls.attempts = 0
        for app in APPS:
            cls.fill(app)

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()
        print(f"\n{cls.attempts} attempts in SQL sessions of the login roles")

    @classmethod
    def fill(cls, app: str) -> None:
        """Inserts a record, bypassing all rules, that an attack could return."""
        values = {
            "campus": "(number, family_name, given_name, email, program) VALUES ('2026-00001','A','B','a@b.c',uuid_nil)",
            "evntgarde": "(service, wanted_at, contact, customer) VALUES (uuid_nil, now(), '+639171234567', 'user-1')",
            "pillars": "(assessment, criterion, rater, weight) VALUES (uuid_nil, uuid_nil, 'user-1', 1)",
            "teleo": "(church, donor, amount) VALUES (uuid_nil, 'user-1', 100)",
        }[app].replace("uuid_nil", "'00000000-0000-0000-0000-000000000000'")
        sql = f"SET session_replication_role = replica; INSERT INTO data.{TABLE[app]} {values}"
        done = cls.psql(cls.program.database(f"tenant_{app}"), sql)
        assert done.returncode == 0, done.stderr

    @classmethod
    def psql(cls, environment: dict[str, str], sql: str) -> subprocess.CompletedProcess:
        """Runs statements until one fails."""
        return subprocess.run(
            [*harness.PSQL, "-c", sql],
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def login(self, app: str, sql: str, database: str = "") -> subprocess.CompletedProcess:
        type(self).attempts += 1
        environment = self.program.database(f"tenant_{app}", login=True)
        return self.psql(environment | ({"PGDATABASE": database} if database else {}), sql)

    def session(self, app: str, attempts: list[str]) -> list[tuple[bool, str]]:
        """Runs attempts in one session, which is reset before each. Returns (refused, other output) of each."""
        type(self).attempts += len(attempts)
        reset = (
            "ROLLBACK; RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; SET client_min_messages = error;"
        )
        script = "\\set VERBOSITY terse\n" + reset + "\n"
        for attempt in attempts:
            script += f"\\echo ---attempt---\n{attempt};\n\\echo ---over---\n{reset}\n"
        done = subprocess.run(
            [*harness.PSQL, "-v", "ON_ERROR_STOP=0"],
            env=self.program.database(f"tenant_{app}", login=True),
            input=script,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        results = []
        for part in done.stdout.split("---attempt---\n")[1:]:
            output = part.partition("---over---")[0].splitlines()
            refusals = [line for line in output if line.startswith(("ERROR:", "FATAL:"))]
            results.append((bool(refusals), "\n".join(line for line in output if line not in refusals)))
        self.assertEqual(len(results), len(attempts), done.stdout[-2000:])
        return results

    def app_roles(self, app: str) -> list[str]:
        sql = f"SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'tenant_{app}__') ORDER BY 1"
        return self.login(app, sql).stdout.split()

    def test_a_login_reaches_no_database_but_its_own(self):
        listed = self.login("campus", "SELECT datname FROM pg_database").stdout.split()
        self.assertGreaterEqual(set(listed), {f"tenant_{app}" for app in APPS})
        for app in APPS:
            for database in listed:
                with self.subTest(app=app, database=database):
                    done = self.login(app, "SELECT 1", database)
                    self.assertEqual(
                        done.returncode == 0, database == f"tenant_{app}", done.stdout + done.stderr
                    )

    def test_forbidden_statements_are_refused(self):
        for app in APPS:
            other = APPS[(APPS.index(app) + 1) % len(APPS)]
            role = self.app_roles(app)[0]
            attempts = [
                sql.replace("{app}", app)
                .replace("{other}", other)
                .replace("{table}", TABLE[app])
                .replace("{as_role}", role)
                .replace("{role}", role.partition("__")[2])
                for sql in REFUSED
            ]
            for sql, (refused, output) in zip(attempts, self.session(app, attempts), strict=True):
                with self.subTest(app=app, sql=sql):
                    self.assertTrue(refused, output)
                    self.assertEqual(output, "")

    def test_a_role_without_a_user_reads_no_record(self):
        """Roles with access to all records of a table read them without a user too; all others must read nothing."""
        for app in APPS:
            for role in self.app_roles(app):
                if role.partition("__")[2] in ("registrar", "admin"):
                    continue
                attempts = [
                    f"BEGIN; SET LOCAL ROLE {role}; {sql.replace('{table}', TABLE[app])}; COMMIT"
                    for sql in EMPTY
                ]
                for sql, (_, output) in zip(attempts, self.session(app, attempts), strict=True):
                    with self.subTest(role=role, sql=sql):
                        self.assertEqual(output, "", "a record is visible")
            # A user with access reads the record, so the attempts above fail because of the policies.
            visible = self.session(app, [VISIBLE[app].replace("{table}", TABLE[app])])
            self.assertRegex(visible[0][1], r"^[0-9a-f-]{36}$", app)

    def test_a_login_has_no_other_rights(self):
        for app in APPS:
            rights = "rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit, rolreplication"
            found = self.login(
                app, f"SELECT {rights} FROM pg_roles WHERE rolname = current_user"
            ).stdout.strip()
            self.assertEqual(found, "f|f|f|f|f|f", app)
            owned = "SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = current_user"
            self.assertEqual(self.login(app, owned).stdout, "", app)
            bare = (
                "SELECT relname FROM pg_class WHERE relnamespace = 'data'::regnamespace AND relkind IN ('r', 'p') "
                "AND NOT relrowsecurity"
            )
            self.assertEqual(self.login(app, bare).stdout, "", "tables without row-level security")
            member = (
                "SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid "
                "JOIN pg_roles u ON u.oid = m.member WHERE u.rolname = current_user "
                f"AND NOT starts_with(r.rolname, 'tenant_{app}__')"
            )
            self.assertEqual(self.login(app, member).stdout, "", "can become a role of another app")


if __name__ == "__main__":
    harness.main()
