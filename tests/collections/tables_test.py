#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tables in a hosted Postgres: planned and applied from the command line by a role that is not a superuser, and served
only if they match the manifest. Also the export and erasure of personal data."""

import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import hosted_postgres  # noqa: E402

DATABASES = ["platform", "clinic"]
MANIFEST = """
integreat: 1
app: clinic
title: Clinic
project: clinic-records
roles: [nurse, patient]
collections:
  patients:
    fields:
      user: {type: user, unique: true}
      name: {type: text, required: true, personal: true}
      ROOM
    subject: user
    sort: [name]
    access:
      read: [{roles: [nurse]}, {roles: [patient], owner: user}]
      create: [{roles: [nurse]}]
      update: [{roles: [nurse]}]
"""
ROOM = "room: {type: text, max_length: 10}"


class Tables(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = harness.make_folder()
        cls.postgres = hosted_postgres.HostedPostgres(DATABASES)
        cls.addClassCleanup(cls.postgres.remove)
        cls.port = harness.free_port()
        (cls.folder / "apps").mkdir()
        (cls.folder / "integreat.yaml").write_text(
            f"listen: {{ port: {cls.port} }}\n"
            "database: { url: env:DATABASE_URL, direct_url: env:DATABASE_URL_DIRECT }\n"
            "identity: { firebase_keys_url: 'http://127.0.0.1:9/keys' }\n"
        )

    def command(self, *words: str) -> list[str]:
        return [str(harness.program_path()), *words, "--config", str(self.folder)]

    def environment(self) -> dict[str, str]:
        urls = {"PATH": "/usr/bin:/bin"}
        for name in DATABASES:
            variable = "DATABASE_URL" if name == "platform" else f"DATABASE_URL_{name.upper()}"
            urls[variable] = self.postgres.url(name)
            urls[f"{variable}_DIRECT"] = self.postgres.url(name, pooled=False)
        return urls

    def run_command(self, *words: str, status: int = 0) -> str:
        done = subprocess.run(
            self.command(*words),
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout if status == 0 else done.stderr

    def write(self, room: str) -> None:
        (self.folder / "apps" / "clinic.yaml").write_text(MANIFEST.replace("ROOM", room))

    def expect_served(self) -> None:
        with open(self.folder / "serve.log", "ab") as log:
            process = subprocess.Popen(self.command("serve"), env=self.environment(), stdout=log, stderr=log)
        harness.kill_at_exit(process)

        def is_ready() -> bool:
            self.assertIsNone(process.poll(), (self.folder / "serve.log").read_text())
            try:
                return harness.call(f"http://127.0.0.1:{self.port}", "GET", "/healthz").status == 200
            except OSError:
                return False

        harness.wait_until(is_ready, harness.START_TIMEOUT_SECONDS, "integreat serve is ready")
        process.terminate()
        self.assertEqual(process.wait(30), 0)

    def rows(self, sql: str) -> str:
        return self.postgres.sql(sql, "clinic")

    def test_db_apply_migrates_tables_to_the_manifest(self):
        self.write(ROOM)
        refused = self.run_command("serve", status=1)
        self.assertIn("run integreat db apply --app clinic", refused)
        planned = self.run_command("db", "plan", "--app", "clinic")
        self.assertIn('CREATE TABLE "data"."patients"', planned)
        self.run_command("db", "apply", "--app", "clinic")
        self.assertIn("the tables match the manifest", self.run_command("db", "plan"))
        self.expect_served()
        login = hosted_postgres.login_role("clinic")
        self.assertEqual(self.rows(f"SELECT rolinherit FROM pg_roles WHERE rolname = '{login}'"), "f")

        self.rows(
            "INSERT INTO data.patients (\"user\", name, room) VALUES ('ana', 'Ana', 'A1'), (NULL, 'Ben', 'B1')"
        )
        self.write("")
        self.assertIn("dropped only by integreat db apply --allow-destructive", self.run_command("db", "plan"))
        self.run_command("db", "apply")
        self.assertEqual(self.rows("SELECT room FROM data.patients ORDER BY room LIMIT 1"), "A1")
        self.run_command("db", "apply", "--allow-destructive", status=2)
        self.run_command("db", "apply", "--allow-destructive", "--backup-note", "none: a test")
        self.assertNotIn("room", self.rows("SELECT p::text FROM data.patients AS p"))
        self.expect_served()

        exported = json.loads(self.run_command("privacy", "export", "--app", "clinic", "--subject", "ana"))
        self.assertEqual([one["name"] for one in exported["records"]["patients"]], ["Ana"])
        self.run_command("privacy", "erase", "--app", "clinic", "--subject", "ana")
        self.assertEqual(
            self.rows("SELECT string_agg(name, ',' ORDER BY name) FROM data.patients"), "Ben,erased"
        )
        self.assertEqual(
            self.rows("SELECT count(*) FROM integreat.changes AS c WHERE c::text ~ 'Ana|ana'"), "0"
        )

    def test_logins_that_can_bypass_the_policies_are_refused(self):
        self.write(ROOM)
        self.run_command("db", "apply")
        login = hosted_postgres.login_role("clinic")
        self.postgres.sql(f"GRANT {hosted_postgres.OWNER} TO {login}")
        self.assertIn(f"may become {hosted_postgres.OWNER}", self.run_command("serve", status=1))
        self.postgres.sql(f"REVOKE {hosted_postgres.OWNER} FROM {login}")


class DevTables(unittest.TestCase):
    """`integreat dev` migrates tables at a reload if no data is lost; otherwise the previous manifest stays active."""

    def setUp(self):
        self.program = harness.Program()
        self.addCleanup(self.program.remove)
        self.program.apps = self.program.data / "apps"
        self.program.apps.mkdir(parents=True)
        (self.program.apps / "clinic.yaml").write_text(MANIFEST.replace("ROOM", ROOM))
        self.program.start()
        self.nurse = self.program.token("clinic", "nurse")

    def write(self, room: str) -> None:
        new_file = self.program.data / "clinic.new"
        new_file.write_text(MANIFEST.replace("ROOM", room))
        new_file.rename(self.program.manifests / "clinic.yaml")

    def reloads(self, result: str) -> int:
        return int(
            harness.metric_sum(self.program.metrics(), "integreat_reloads_total", f'result="{result}"')
        )

    def create_patient(self, **patient) -> int:
        response = self.program.call("POST", "/v1/apps/clinic/patients", token=self.nurse, body=patient)
        return response.status

    def test_a_reload_without_data_loss_is_applied_and_others_are_refused(self):
        self.assertEqual(self.create_patient(name="Ana", room="A1"), 201)
        self.assertEqual(self.create_patient(name="Ben", bed="3"), 400)
        self.write(ROOM + "\n      bed: {type: text}")
        harness.wait_until(lambda: self.reloads("loaded") == 1, 30, "the new field is loaded")
        self.assertEqual(self.create_patient(name="Ben", bed="3"), 201)
        self.write(ROOM + "\n      bed: {type: text, required: true}")
        harness.wait_until(lambda: self.reloads("refused") == 1, 30, "the reload is refused")
        self.assertIn("patients.bed is required, but some records have no value", self.program.log())
        self.assertEqual(self.create_patient(name="Cara"), 201)


if __name__ == "__main__":
    harness.main()
