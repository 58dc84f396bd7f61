#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`integreat seed` with a running `integreat dev`: it inserts hundreds of records for each app, once unless --again is
given, and each seeded user finds records of their own through the API, and no others."""

import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402

MIN_RECORDS = 500

# Collections by role in which a user finds more than none but not all records.
OWN = {
    "campus": {"student": ["students", "grades", "invoices"], "professor": ["grades", "enrollments"]},
    "evntgarde": {"customer": ["bookings"], "vendor": ["bookings"], "organizer": ["bookings", "guests"]},
    "pillars": {"professor": ["ratings", "evidence"], "dean": ["assessments", "ratings"], "employer": ["responses"]},
    "teleo": {"member": ["members", "donations"], "pastor": ["service_requests"], "church_admin": ["donations"]},
}
TOTALS = {
    ("campus", "students"): 60,
    ("campus", "grades"): 300,
    ("campus", "enrollments"): 240,
    ("campus", "invoices"): 100,
    ("evntgarde", "bookings"): 180,
    ("evntgarde", "guests"): 240,
    ("pillars", "assessments"): 32,
    ("pillars", "ratings"): 240,
    ("pillars", "evidence"): 128,
    ("pillars", "responses"): 110,
    ("teleo", "members"): 120,
    ("teleo", "donations"): 180,
    ("teleo", "service_requests"): 78,
}
REFUSED = {
    "campus": {"student": ["screenings"], "professor": ["invoices", "payments", "clearances"]},
    "evntgarde": {"vendor": ["guests", "budget_lines"]},
    "pillars": {"student": ["evidence", "ratings"], "employer": ["remarks"]},
    "teleo": {"guest": ["volunteers"]},
}


class Seed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = harness.Program()
        cls.program.start()
        for app in OWN:
            result = cls.seed(app)
            assert result.returncode == 0, result.stdout + result.stderr
            cls.output = getattr(cls, "output", {}) | {app: result.stdout}

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    @classmethod
    def seed(cls, app: str, *options: str):
        data = ["--data", str(cls.program.data_folder), *cls.program.config_options]
        return cls.program.cli("seed", "--app", app, *data, *options, timeout=180)

    def count(self, app: str, role: str, collection: str) -> int:
        path = f"/v1/apps/{app}/{collection}/aggregate?select=count"
        response = self.program.call("GET", path, token=self.program.token(app, role))
        self.assertEqual(response.status, 200, f"{app} {role} {collection}: {response.body[:300]!r}")
        return response.json()["items"][0]["count"]

    def test_each_app_gets_hundreds_of_records(self):
        for app, output in self.output.items():
            self.assertGreaterEqual(int(re.search(r": (\d+) records", output)[1]), MIN_RECORDS, output)

    def test_an_app_with_records_is_seeded_only_with_again(self):
        refused = self.seed("teleo")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("teleo already has records in churches: use --again to replace all of them", refused.stderr)
        again = self.seed("teleo", "--again")
        self.assertEqual(again.returncode, 0, again.stderr)

    def test_an_unknown_app_is_reported_with_a_suggestion(self):
        refused = self.seed("campuss")
        self.assertEqual(refused.returncode, 1)
        self.assertIn('no app "campuss" has collections, did you mean "campus"?', refused.stderr)

    def test_a_user_finds_their_own_records_and_no_others(self):
        for app, roles in OWN.items():
            for role, collections in roles.items():
                for collection in collections:
                    count = self.count(app, role, collection)
                    self.assertGreater(count, 0, f"{app} {role} has no {collection}")
                    self.assertLess(count, TOTALS[app, collection], f"{app} {role} has all {collection}")

    def test_collections_without_access_are_refused(self):
        for app, roles in REFUSED.items():
            for role, collections in roles.items():
                for collection in collections:
                    path = f"/v1/apps/{app}/{collection}"
                    response = self.program.call("GET", path, token=self.program.token(app, role))
                    self.assertIn(response.status, (403, 404), f"{app} {role} {collection}: {response.body[:300]!r}")


if __name__ == "__main__":
    harness.main()
