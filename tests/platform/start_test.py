#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Start from an empty folder and from existing data, the content of the ready file, and a clean end."""

import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402

EMPTY_SECONDS = 5.0  # The targets of the release build.
EXISTING_SECONDS = 1.0
TOLERANCE = 3  # The test fails only at a multiple of the target, because the machine may be busy.


class Start(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = harness.Program()
        cls.program.start()
        cls.first_seconds = cls.program.start_seconds

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    def expect_start_time(self, description: str, seconds: float, bar: float):
        print(f"\n{description}: {seconds:.2f} s (bar {bar:g} s, {harness.program_path()})")
        if harness.is_release():
            self.assertLess(seconds, bar * TOLERANCE, description)

    def test_first_start_from_an_empty_folder(self):
        self.expect_start_time("first start", self.first_seconds, EMPTY_SECONDS)

    def test_the_ready_file_has_its_documented_members(self):
        ready = self.program.ready
        self.assertEqual(
            set(ready), {"pid", "gateway", "firebase", "aws", "aws_credentials", "sandbox", "tenants"}
        )
        self.assertTrue(ready["aws"].startswith("http://127.0.0.1:"))
        self.assertIn("aws_access_key_id", Path(ready["aws_credentials"]).read_text())
        self.assertIsNone(ready["sandbox"])
        self.assertEqual(ready["pid"], self.program.process.pid)
        self.assertEqual(
            set(ready["tenants"]) - {"integreat-core"}, {"campus", "evntgarde", "pillars", "teleo"}
        )
        for app in ("campus", "evntgarde", "pillars", "teleo"):
            tenant = ready["tenants"][app]
            self.assertEqual(
                set(tenant), {"firebase_project", "firebase_api_key", "identity_pool", "bucket", "users"}
            )
            self.assertTrue(tenant["firebase_api_key"])
            self.assertRegex(tenant["identity_pool"], r"^us-east-1:[0-9a-f-]{36}$")
            self.assertEqual(tenant["bucket"], tenant["firebase_project"] + "-tenant-bucket")
            self.assertTrue(tenant["users"], f"{app} has no seeded user")
            for user in tenant["users"]:
                self.assertEqual(set(user), {"email", "password", "role"})

    def test_everything_responds_once_the_ready_file_exists(self):
        self.assertEqual(self.program.call("GET", "/healthz").status, 200)
        self.assertEqual(self.program.call("GET", "/readyz").status, 200)
        self.assertEqual(harness.call(self.program.ready["firebase"], "GET", "/").status, 200)

    def test_the_commands_of_the_startup_banner_work_unchanged(self):
        log = self.program.log()
        banner = log[log.rindex("Integreat is ready.") :]
        users = re.search(r"all users: (.*)", banner).group(1)
        commands = [line.strip() for line in banner[banner.index("  Try:\n") :].splitlines()[1:4]]
        done = subprocess.run(
            ["sh", "-ec", "\n".join([*commands, users])], capture_output=True, text=True, timeout=60, check=False
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn('"kind":"user"', done.stdout)
        self.assertIn("/v1/apps/campus/me", done.stdout)
        for user in self.program.ready["tenants"]["campus"]["users"]:
            self.assertIn(user["email"], done.stdout)

    def test_why_explains_a_refusal_of_the_local_cloud(self):
        bucket = self.program.ready["tenants"]["campus"]["bucket"]
        refused = harness.call(self.program.ready["aws"], "GET", f"/{bucket}/a")
        self.assertEqual(refused.status, 403)
        why = self.program.cli("why", "--data", str(self.program.data_folder), refused.headers["x-amz-request-id"])
        self.assertEqual(why.returncode, 0, why.stderr)
        self.assertIn("no resource-based policy allows s3:GetObject", why.stdout)

    def test_each_seeded_user_can_sign_in_with_their_role_and_email(self):
        for app in ("campus", "evntgarde", "pillars", "teleo"):
            for user in self.program.ready["tenants"][app]["users"]:
                token = self.program.sign_in(app, user["email"], user["password"])["idToken"]
                response = self.program.call("GET", f"/v1/apps/{app}/me", token=token)
                self.assertEqual(response.status, 200, response.body)
                self.assertIn(user["role"], json.dumps(response.json()))
                self.assertIn(user["email"], json.dumps(response.json()))

    def test_restarts_from_its_data(self):
        ready = self.program.ready
        app, user = "campus", ready["tenants"]["campus"]["users"][0]
        seconds = []
        for _ in range(3):
            self.assertEqual(self.program.stop(), 0, self.program.log()[-2000:])
            self.program.start()
            seconds.append(self.program.start_seconds)
        self.expect_start_time("start from existing data, best of 3", min(seconds), EXISTING_SECONDS)
        self.assertEqual(self.program.ready["tenants"], ready["tenants"])
        self.program.sign_in(app, user["email"], user["password"])

    def test_leaves_no_processes_when_it_ends(self):
        tree = harness.process_tree(self.program.process.pid)
        self.assertTrue(any(name.startswith("postgres") for name in tree.values()), tree)
        self.assertEqual(self.program.stop(), 0)
        remaining = {pid: name for pid, name in tree.items() if pid in harness.process_tree(pid)}
        self.assertEqual(remaining, {}, "still running after SIGTERM")
        self.program.start()

    def test_a_second_instance_on_the_same_data_is_refused_with_a_reason(self):
        second = self.program.cli(
            "dev", "--data", str(self.program.data_folder), "--ports", "auto", *self.program.config_options
        )
        self.assertNotEqual(second.returncode, 0)
        self.assertIn(str(self.program.pid), second.stdout + second.stderr)
        self.assertEqual(self.program.call("GET", "/readyz").status, 200)


if __name__ == "__main__":
    harness.main(measures=True)
