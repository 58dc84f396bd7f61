#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From nothing to ready, from existing data to ready, what the ready-file says, and a clean end."""

import json
import re
import subprocess
import unittest
from pathlib import Path

import harness

EMPTY_SECONDS = 5.0  # The bars, for the release build.
EXISTING_SECONDS = 1.0
GROSS = 3  # Figures are printed and fail only when this many times over: a busy machine is not a bug.


class Start(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = harness.Program()
        cls.program.start()
        cls.first_seconds = cls.program.start_seconds

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    def expect_quick(self, what: str, seconds: float, bar: float):
        print(f"\n{what}: {seconds:.2f} s (bar {bar:g} s, {harness.program_path()})")
        if harness.is_release():
            self.assertLess(seconds, bar * GROSS, what)

    def test_first_start_from_an_empty_folder(self):
        self.expect_quick("first start", self.first_seconds, EMPTY_SECONDS)

    def test_ready_file_has_its_shape(self):
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
            self.assertTrue(tenant["users"], f"{app} has no ready-made user")
            for user in tenant["users"]:
                self.assertEqual(set(user), {"email", "password", "role"})

    def test_everything_answers_the_moment_the_ready_file_exists(self):
        self.assertEqual(self.program.call("GET", "/healthz").status, 200)
        self.assertEqual(self.program.call("GET", "/readyz").status, 200)
        self.assertEqual(harness.call(self.program.ready["firebase"], "GET", "/").status, 200)

    def test_the_commands_of_the_welcome_work_as_they_stand(self):
        log = self.program.log()
        welcome = log[log.rindex("Integreat is ready.") :]
        users = re.search(r"for all of them: (.*)", welcome).group(1)
        tried = [line.strip() for line in welcome[welcome.index("  Try:\n") :].splitlines()[1:4]]
        shown = subprocess.run(
            ["sh", "-ec", "\n".join([*tried, users])], capture_output=True, text=True, timeout=60, check=False
        )
        self.assertEqual(shown.returncode, 0, shown.stdout + shown.stderr)
        self.assertIn('"kind":"user"', shown.stdout)
        self.assertIn("/v1/apps/campus/me", shown.stdout)
        for user in self.program.ready["tenants"]["campus"]["users"]:
            self.assertIn(user["email"], shown.stdout)

    def test_why_explains_what_the_local_cloud_refused(self):
        bucket = self.program.ready["tenants"]["campus"]["bucket"]
        refused = harness.call(self.program.ready["aws"], "GET", f"/{bucket}/a")
        self.assertEqual(refused.status, 403)
        why = self.program.cli("why", "--data", str(self.program.data_folder), refused.headers["x-amz-request-id"])
        self.assertEqual(why.returncode, 0, why.stderr)
        self.assertIn("no resource-based policy allows s3:GetObject", why.stdout)

    def test_each_ready_made_user_signs_in_and_is_who_the_token_says(self):
        for app in ("campus", "evntgarde", "pillars", "teleo"):
            for user in self.program.ready["tenants"][app]["users"]:
                token = self.program.sign_in(app, user["email"], user["password"])["idToken"]
                answer = self.program.call("GET", f"/v1/apps/{app}/me", token=token)
                self.assertEqual(answer.status, 200, answer.body)
                self.assertIn(user["role"], json.dumps(answer.json()))
                self.assertIn(user["email"], json.dumps(answer.json()))

    def test_starts_again_from_its_data_and_remembers(self):
        ready = self.program.ready
        app, user = "campus", ready["tenants"]["campus"]["users"][0]
        seconds = []
        for _ in range(3):
            self.assertEqual(self.program.stop(), 0, self.program.log()[-2000:])
            self.program.start()
            seconds.append(self.program.start_seconds)
        self.expect_quick("start from existing data, best of 3", min(seconds), EXISTING_SECONDS)
        self.assertEqual(self.program.ready["tenants"], ready["tenants"])
        self.program.sign_in(app, user["email"], user["password"])

    def test_leaves_nothing_behind_when_it_ends(self):
        inside = harness.tree_of(self.program.process.pid)
        self.assertTrue(any(name.startswith("postgres") for name in inside.values()), inside)
        self.assertEqual(self.program.stop(), 0)
        left = {pid: name for pid, name in inside.items() if pid in harness.tree_of(pid)}
        self.assertEqual(left, {}, "still running after SIGTERM")
        self.program.start()

    def test_a_second_instance_on_the_same_data_is_refused_with_a_reason(self):
        second = self.program.cli(
            "dev", "--data", str(self.program.data_folder), "--ports", "auto", *self.program.places
        )
        self.assertNotEqual(second.returncode, 0)
        self.assertIn(str(self.program.pid), second.stdout + second.stderr)
        self.assertEqual(self.program.call("GET", "/readyz").status, 200)


if __name__ == "__main__":
    harness.main(measures=True)
