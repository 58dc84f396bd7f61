#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line as a person uses it: each command beside a running `integreat dev`, its words and its exit
code (0 done, 1 trouble with the matter, 2 a wrong command line)."""

import json
import re
import subprocess
import time
import unittest

import apps
import harness

SECRET = re.compile(r"\bitg_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}\b")


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = harness.Upstream()
        cls.program = harness.Program()
        cls.program.apps = apps.write(cls.program.data / "apps", cls.upstream.url)
        cls.program.start()

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()
        cls.upstream.stop()

    def done(self, *arguments: str, code: int = 0) -> str:
        """What the command prints on standard output; the exit code must be `code`."""
        result = self.program.cli(*arguments)
        self.assertEqual(result.returncode, code, f"{arguments}\n{result.stdout}{result.stderr}")
        return result.stdout if code == 0 else result.stdout + result.stderr

    def running(self, *arguments: str, code: int = 0) -> str:
        return self.done(*arguments, "--data", str(self.program.data_folder), code=code)

    def test_help_teaches(self):
        text = self.done("--help")
        for command in (
            "dev",
            "serve",
            "check",
            "routes",
            "config",
            "tenant",
            "key",
            "user",
            "why",
            "doctor",
            "completion",
        ):
            self.assertIn(command, text)
            self.assertGreater(len(self.done(command, "--help")), 80, command)

    def test_version_is_said(self):
        self.assertRegex(self.done("--version"), r"\d+\.\d+\.\d+")

    def test_wrong_command_lines_end_with_2_and_a_hint(self):
        for arguments in (
            ["chekc"],
            ["routes", "--jsno"],
            ["tenant", "add"],
            ["key", "create"],
            ["--nothing"],
        ):
            with self.subTest(arguments):
                self.assertGreater(len(self.done(*arguments, code=2).strip()), 10)

    def test_completion_names_the_commands(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("doctor", self.done("completion", shell))
        script = self.done("completion", "bash")
        checked = subprocess.run(
            ["bash", "-n"], input=script, capture_output=True, text=True, timeout=10, check=False
        )
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_check_and_routes(self):
        self.assertIn("2 apps", self.done("check", *self.program.places))
        text = self.done("routes", *self.program.places)
        self.assertIn("/v1/apps/campus/me", text)
        self.assertIn("/v1/apps/campus/registry/{rest...}", text)
        only = json.loads(self.done("routes", "--app", "teleo", "--json", *self.program.places))
        self.assertEqual({route["app"] for route in only}, {"teleo"})
        self.assertIn("campus", self.done("routes", "--app", "campsu", *self.program.places, code=1))

    def test_check_reports_every_mistake_with_its_place(self):
        folder = self.program.data / "wrong"
        campus = apps.write(folder / "apps", self.upstream.url) / "campus.yaml"
        campus.write_text(
            campus.read_text().replace("title:", "titel:").replace("upstream: gone", "upstream: gon")
        )
        text = self.done("check", "--config", str(folder), code=1)
        self.assertRegex(text, r"campus\.yaml:2:\d+ .*titel.*title")
        self.assertRegex(text, r"campus\.yaml:\d+:\d+ .*gon\b.*gone")

    def test_config_schema_is_a_json_schema(self):
        for which in ("--settings", "--manifest"):
            schema = json.loads(self.done("config", "schema", which))
            self.assertIn("2020-12", schema["$schema"])
            self.assertIs(schema["additionalProperties"], False)

    def test_tenant_add_scaffolds_a_manifest_that_passes_the_check(self):
        folder = self.program.data / "grown"
        (folder / "apps").mkdir(parents=True)
        places = ["--config", str(folder)]
        self.done("tenant", "add", "library", "--project", "library-lending", *places)
        self.assertIn("app: library", (folder / "apps" / "library.yaml").read_text())
        self.done("check", *places)
        self.assertIn(
            "exists", self.done("tenant", "add", "library", "--project", "other-project", *places, code=1)
        )
        self.assertIn(
            "NAME", self.done("tenant", "add", "Bad_Name", "--project", "other-project", *places, code=1)
        )

    def make_key(self, *more: str) -> tuple[str, str]:
        """(the secret, what was printed); shown once, and only here."""
        text = self.running(
            "key", "create", "--app", "campus", "--name", "feeder", "--scope", "feed.read", *more
        )
        found = SECRET.search(text)
        self.assertTrue(found, text)
        return found.group(0), text

    def key_id(self, secret: str) -> str:
        """The listing has the prefix of a key, never the key."""
        listed = self.running("key", "list", "--app", "campus")
        self.assertNotIn(secret, listed)
        line = next(
            line for line in reversed(listed.splitlines()) if "feeder" in line and "revoked" not in line
        )
        return line.split()[0]

    def test_key_opens_its_scope_and_nothing_else_until_it_is_revoked(self):
        secret, _ = self.make_key()
        self.assertEqual(self.program.call("GET", "/v1/apps/campus/feed/echo", token=secret).status, 200)
        for path in ("/v1/apps/campus/portal/echo", "/v1/apps/teleo/parish/echo"):
            self.assertIn(self.program.call("GET", path, token=secret).status, (401, 403), path)
        self.running("key", "revoke", self.key_id(secret), "--app", "campus")
        began = time.monotonic()
        harness.wait_until(
            lambda: self.program.call("GET", "/v1/apps/campus/feed/echo", token=secret).status == 401,
            5,
            "the revocation",
            every=0.02,
        )
        print(f"\nrevoked within {time.monotonic() - began:.2f} s")
        self.assertLess(time.monotonic() - began, 1.0)

    def test_user_add_makes_a_user_who_can_sign_in_with_the_role(self):
        self.running(
            "user",
            "add",
            "--app",
            "campus",
            "--email",
            "rita@campus.test",
            "--password",
            "long enough 1",
            "--role",
            "registrar",
        )
        token = self.program.sign_in("campus", "rita@campus.test", "long enough 1")["idToken"]
        self.assertEqual(self.program.call("GET", "/v1/apps/campus/registry/echo", token=token).status, 200)
        self.assertIn(
            "role",
            self.running(
                "user",
                "add",
                "--app",
                "campus",
                "--email",
                "x@campus.test",
                "--password",
                "long enough 1",
                "--role",
                "king",
                code=1,
            ).lower(),
        )
        self.assertIn("rita@campus.test", self.running("user", "list", "--app", "campus"))

    def why(self, answer: harness.Answer) -> str:
        return self.running("why", answer.headers["Integreat-Request-Id"])

    def test_why_explains_each_kind_of_denial(self):
        student = self.program.token("campus", "student")
        role = self.program.call("GET", "/v1/apps/campus/registry/echo", token=student)
        self.assertEqual(role.status, 403)
        text = self.why(role)
        self.assertIn("registrar", text)
        self.assertIn("student", text)

        tenant = self.program.call("GET", "/v1/apps/teleo/parish/echo", token=student)
        self.assertIn(tenant.status, (401, 403))
        self.assertIn("campus", self.why(tenant))
        self.assertNotIn("campus-student", tenant.body.decode())

        missing = self.program.call("GET", "/v1/apps/campus/portal/echo")
        self.assertEqual(missing.status, 401)
        self.assertIn("Authorization", self.why(missing))

        head, claims, _ = student.split(".")
        forged = self.program.call("GET", "/v1/apps/campus/portal/echo", token=f"{head}.{claims}.AAAA")
        self.assertEqual(forged.status, 401)
        self.assertIn("signature", self.why(forged).lower())

        for _ in range(10):
            limited = self.program.call("GET", "/v1/apps/campus/narrow/echo", token=student)
        self.assertEqual(limited.status, 429)
        self.assertIn("5", self.why(limited))

    def test_why_of_an_unknown_request_says_so(self):
        self.assertIn("no request", self.running("why", "req_00000000000000000000000000", code=1))

    def test_doctor_finds_this_machine_in_order(self):
        text = self.program.cli("doctor", "--data", str(self.program.data_folder), *self.program.places)
        self.assertEqual(text.returncode, 0, text.stdout + text.stderr)
        self.assertIn("Postgres", text.stdout)

    def test_doctor_names_the_mistake_and_what_mends_it(self):
        folder = self.program.data / "sick"
        (apps.write(folder / "apps", self.upstream.url) / "campus.yaml").write_text("app: campus\n")
        text = self.program.cli("doctor", "--config", str(folder), "--data", str(folder / "data"))
        self.assertEqual(text.returncode, 1, text.stdout + text.stderr)
        self.assertIn("check", text.stdout)


if __name__ == "__main__":
    harness.main()
