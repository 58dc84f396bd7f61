#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The command line with a running `integreat dev`: output and exit code of each command (0: success, 1: failure, 2:
invalid command line)."""

import json
import re
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402

SECRET = re.compile(r"\bitg_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}\b")


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = harness.Upstream()
        cls.program = harness.Program()
        cls.program.apps = manifests.write_manifests(cls.program.data / "apps", cls.upstream.url)
        cls.program.start()

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()
        cls.upstream.stop()

    def run_command(self, *arguments: str, code: int = 0) -> str:
        """Runs a command that must end with exit code `code`. Returns its output, with errors if `code` is not 0."""
        result = self.program.cli(*arguments)
        self.assertEqual(result.returncode, code, f"{arguments}\n{result.stdout}{result.stderr}")
        return result.stdout if code == 0 else result.stdout + result.stderr

    def run_with_data(self, *arguments: str, code: int = 0) -> str:
        """Runs a command on the data folder of the running program."""
        return self.run_command(*arguments, "--data", str(self.program.data_folder), code=code)

    def test_help_describes_every_command(self):
        text = self.run_command("--help")
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
            self.assertGreater(len(self.run_command(command, "--help")), 80, command)

    def test_version_is_printed(self):
        self.assertRegex(self.run_command("--version"), r"\d+\.\d+\.\d+")

    def test_invalid_command_lines_end_with_2_and_a_hint(self):
        for arguments in (
            ["chekc"],
            ["routes", "--jsno"],
            ["tenant", "add"],
            ["key", "create"],
            ["--nothing"],
        ):
            with self.subTest(arguments):
                self.assertGreater(len(self.run_command(*arguments, code=2).strip()), 10)

    def test_completion_contains_the_commands(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("doctor", self.run_command("completion", shell))
        script = self.run_command("completion", "bash")
        checked = subprocess.run(
            ["bash", "-n"], input=script, capture_output=True, text=True, timeout=10, check=False
        )
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_check_and_routes(self):
        self.assertIn("2 apps", self.run_command("check", *self.program.config_options))
        text = self.run_command("routes", *self.program.config_options)
        self.assertIn("/v1/apps/campus/me", text)
        self.assertIn("/v1/apps/campus/registry/{rest...}", text)
        routes = json.loads(self.run_command("routes", "--app", "teleo", "--json", *self.program.config_options))
        self.assertEqual({route["app"] for route in routes}, {"teleo"})
        self.assertIn("campus", self.run_command("routes", "--app", "campsu", *self.program.config_options, code=1))

    def test_check_reports_every_error_with_its_location(self):
        folder = self.program.data / "invalid"
        campus = manifests.write_manifests(folder / "apps", self.upstream.url) / "campus.yaml"
        campus.write_text(
            campus.read_text().replace("title:", "titel:").replace("upstream: gone", "upstream: gon")
        )
        text = self.run_command("check", "--config", str(folder), code=1)
        self.assertRegex(text, r"campus\.yaml:3:\d+ .*titel.*title")
        self.assertRegex(text, r"campus\.yaml:\d+:\d+ .*gon\b.*gone")

    def test_config_schema_is_a_json_schema(self):
        for option in ("--settings", "--manifest"):
            schema = json.loads(self.run_command("config", "schema", option))
            self.assertIn("2020-12", schema["$schema"])
            self.assertIs(schema["additionalProperties"], False)

    def test_tenant_add_scaffolds_a_manifest_that_passes_the_check(self):
        folder = self.program.data / "scaffolded"
        (folder / "apps").mkdir(parents=True)
        config = ["--config", str(folder)]
        self.run_command("tenant", "add", "library", "--project", "library-lending", *config)
        self.assertIn("app: library", (folder / "apps" / "library.yaml").read_text())
        self.run_command("check", *config)
        self.assertIn(
            "exists", self.run_command("tenant", "add", "library", "--project", "other-project", *config, code=1)
        )
        self.assertIn(
            "NAME", self.run_command("tenant", "add", "Bad_Name", "--project", "other-project", *config, code=1)
        )

    def create_key(self, *options: str) -> tuple[str, str]:
        """Creates an API key. Returns its secret, which no other command prints, and the output."""
        text = self.run_with_data(
            "key", "create", "--app", "campus", "--name", "feeder", "--scope", "feed.read", *options
        )
        match = SECRET.search(text)
        self.assertTrue(match, text)
        return match.group(0), text

    def key_id(self, secret: str) -> str:
        """Returns the id of the key from the list, which must not contain the secret."""
        listed = self.run_with_data("key", "list", "--app", "campus")
        self.assertNotIn(secret, listed)
        line = next(
            line for line in reversed(listed.splitlines()) if "feeder" in line and "revoked" not in line
        )
        return line.split()[0]

    def test_a_key_permits_its_scope_only_until_it_is_revoked(self):
        secret, _ = self.create_key()
        self.assertEqual(self.program.call("GET", "/v1/apps/campus/feed/echo", token=secret).status, 200)
        for path in ("/v1/apps/campus/portal/echo", "/v1/apps/teleo/parish/echo"):
            self.assertIn(self.program.call("GET", path, token=secret).status, (401, 403), path)
        self.run_with_data("key", "revoke", self.key_id(secret), "--app", "campus")
        began = time.monotonic()
        harness.wait_until(
            lambda: self.program.call("GET", "/v1/apps/campus/feed/echo", token=secret).status == 401,
            5,
            "the key is revoked",
            every=0.02,
        )
        print(f"\nrevoked within {time.monotonic() - began:.2f} s")
        self.assertLess(time.monotonic() - began, 1.0)

    def test_user_add_creates_a_user_who_can_sign_in_with_the_role(self):
        self.run_with_data(
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
            self.run_with_data(
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
        self.assertIn("rita@campus.test", self.run_with_data("user", "list", "--app", "campus"))

    def why(self, response: harness.Response) -> str:
        return self.run_with_data("why", response.headers["Integreat-Request-Id"])

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

    def test_why_reports_an_unknown_request(self):
        self.assertIn("no request", self.run_with_data("why", "req_00000000000000000000000000", code=1))

    def test_doctor_finds_no_problem_on_this_machine(self):
        text = self.program.cli("doctor", "--data", str(self.program.data_folder), *self.program.config_options)
        self.assertEqual(text.returncode, 0, text.stdout + text.stderr)
        self.assertIn("Postgres", text.stdout)

    def test_doctor_reports_an_error_and_its_fix(self):
        folder = self.program.data / "broken"
        (manifests.write_manifests(folder / "apps", self.upstream.url) / "campus.yaml").write_text("app: campus\n")
        text = self.program.cli("doctor", "--config", str(folder), "--data", str(folder / "data"))
        self.assertEqual(text.returncode, 1, text.stdout + text.stderr)
        self.assertIn("check", text.stdout)


if __name__ == "__main__":
    harness.main()
