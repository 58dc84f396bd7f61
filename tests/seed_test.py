#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`integreat seed` beside a running `integreat dev`: hundreds of records for each app, once unless told
otherwise; and whoever signs in finds records of their own through the API, and no others."""

import re
import unittest

import harness

RECORDS_MIN = 500

# What a newcomer finds: role → collection → more than none, and fewer than the registrar or admin.
OWN = {
    "campus": {"student": ["students", "grades", "invoices"], "professor": ["grades", "enrollments"]},
    "evntgarde": {"customer": ["bookings"], "vendor": ["bookings"], "organizer": ["bookings", "guests"]},
    "pillars": {"professor": ["ratings", "evidence"], "dean": ["assessments", "ratings"], "employer": ["responses"]},
    "teleo": {"member": ["members", "donations"], "pastor": ["service_requests"], "church_admin": ["donations"]},
}
ALL = {
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
            cls.said = getattr(cls, "said", {}) | {app: result.stdout}

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    @classmethod
    def seed(cls, app: str, *more: str):
        where = ["--data", str(cls.program.data_folder), *cls.program.places]
        return cls.program.cli("seed", "--app", app, *where, *more, timeout=180)

    def count(self, app: str, role: str, collection: str) -> int:
        path = f"/v1/apps/{app}/{collection}/aggregate?select=count"
        answer = self.program.call("GET", path, token=self.program.token(app, role))
        self.assertEqual(answer.status, 200, f"{app} {role} {collection}: {answer.body[:300]!r}")
        return answer.json()["items"][0]["count"]

    def test_each_app_gets_hundreds_of_records(self):
        for app, said in self.said.items():
            self.assertGreaterEqual(int(re.search(r": (\d+) records", said)[1]), RECORDS_MIN, said)

    def test_an_app_with_records_is_left_alone_unless_told_otherwise(self):
        refused = self.seed("teleo")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("teleo has records already, in churches: --again replaces all of them", refused.stderr)
        again = self.seed("teleo", "--again")
        self.assertEqual(again.returncode, 0, again.stderr)

    def test_an_unknown_app_is_said_with_what_was_meant(self):
        refused = self.seed("campuss")
        self.assertEqual(refused.returncode, 1)
        self.assertIn('no app "campuss" has collections, did you mean "campus"?', refused.stderr)

    def test_whoever_signs_in_finds_records_of_their_own_and_no_others(self):
        for app, roles in OWN.items():
            for role, collections in roles.items():
                for collection in collections:
                    found = self.count(app, role, collection)
                    self.assertGreater(found, 0, f"{app} {role} has no {collection}")
                    self.assertLess(found, ALL[app, collection], f"{app} {role} has all {collection}")

    def test_what_a_role_has_no_part_in_is_refused(self):
        for app, roles in REFUSED.items():
            for role, collections in roles.items():
                for collection in collections:
                    path = f"/v1/apps/{app}/{collection}"
                    answer = self.program.call("GET", path, token=self.program.token(app, role))
                    self.assertIn(answer.status, (403, 404), f"{app} {role} {collection}: {answer.body[:300]!r}")


if __name__ == "__main__":
    harness.main()
