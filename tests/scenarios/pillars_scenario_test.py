#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Pillars, from the instrument to the published assessment with the score of its ratings, and a survey."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import sign_in  # noqa: E402
from scenario import Scenario  # noqa: E402

FILE = {"key": "evidence/1.pdf", "name": "1.pdf", "content_type": "application/pdf", "bytes": 1000}
CRITERIA = [
    ("faculty", "II-A.1", "8.00", "4.25"),
    ("curriculum", "III-B.2", "4.00", "3.50"),
    ("library", "VII-C.1", "2.50", "1.00"),
]


class Pillars(Scenario):
    app = "pillars"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin, cls.student = cls.new_user("admin"), cls.new_user("student")
        cls.employer, cls.rival = cls.new_user("employer"), cls.new_user("employer", "rival")
        cls.dean, cls.other_dean = cls.new_user("dean"), cls.new_user("dean", "other.dean")
        cls.lead, cls.rater = cls.new_user("professor"), cls.new_user("professor", "rater")
        cls.outsider = cls.new_user("professor", "outsider")

    def create_program(self, code: str) -> str:
        program = {
            "code": code,
            "title": "Nursing",
            "institution": "Pamantasan ng Montalban",
            "dean": self.dean.uid,
        }
        for caller in (self.dean, self.lead, self.employer):
            self.may_not(caller, "role-missing", "POST", "/programs", program)
        return self.may(self.admin, "POST", "/programs", program)["id"]

    def create_instrument(self) -> tuple[str, list[str]]:
        survey = {"title": "AACCUP", "body": "aaccup", "edition": "2024"}
        self.may_not(self.dean, "role-missing", "POST", "/instruments", survey)
        instrument = self.may(self.admin, "POST", "/instruments", survey)["id"]
        path = f"/instruments/{instrument}"
        self.may_not(self.lead, "not-found", "GET", path)
        self.may_not(self.employer, "role-missing", "GET", path)
        self.may_not(self.admin, "guard-failed", "POST", path + "/activate")
        criteria = []
        for area, code, weight, _ in CRITERIA:
            criterion = {
                "instrument": instrument,
                "area": area,
                "code": code,
                "text": "Well kept",
                "weight": weight,
            }
            self.may_not(self.dean, "role-missing", "POST", "/criteria", criterion)
            criteria.append(self.may(self.admin, "POST", "/criteria", criterion)["id"])
        self.may_not(self.dean, "role-missing", "POST", path + "/activate")
        active = self.may(self.admin, "POST", path + "/activate")
        self.assertEqual((active["criteria"], active["weight"]), (3, "14.50"))
        self.may_not(self.admin, "forbidden", "PATCH", path, {"title": "Another"})
        self.may_not(self.admin, "forbidden", "DELETE", path)
        self.may(self.lead, "GET", path)
        return instrument, criteria

    def test_an_assessment_goes_from_draft_to_publication(self):
        program = self.create_program("BSN")
        instrument, criteria = self.create_instrument()
        draft = {
            "title": "Level III self-survey 2026",
            "program": program,
            "instrument": instrument,
            "covers_from": "2024-06-01",
            "covers_until": "2026-05-31",
            "team": [self.rater.uid],
        }
        for caller in (self.dean, self.admin, self.student):
            self.may_not(caller, "role-missing", "POST", "/assessments", draft)
        self.may_not(self.lead, "forbidden", "POST", "/assessments", {**draft, "lead": self.outsider.uid})
        self.may_not(
            self.lead, "invalid-request", "POST", "/assessments", {**draft, "score": "5.00"}, at="#/score"
        )
        made = self.may(self.lead, "POST", "/assessments", draft)
        assessment, path = made["id"], f"/assessments/{made['id']}"
        for caller in (sign_in.UNAUTHENTICATED, self.outsider, self.other_dean, self.employer):
            self.may_not(caller, "not-found", "GET", path)
        self.may(self.rater, "GET", path)
        self.may_not(self.rater, "forbidden", "PATCH", path, {"summary": "Mine"}, '"1"')
        self.may_not(self.lead, "if-match-missing", "PATCH", path, {"summary": "Good"})
        self.may_not(self.lead, "incomplete", "POST", path + "/submit", at="#/summary")
        self.may(self.lead, "PATCH", path, {"summary": "Good"}, '"1"')
        self.may_not(self.lead, "version-mismatch", "PATCH", path, {"summary": "Bad"}, '"1"')
        self.may_not(self.lead, "guard-failed", "POST", path + "/submit")
        self.add_evidence(assessment, criteria[0])
        self.rate(assessment, criteria)
        self.may_not(self.rater, "forbidden", "POST", path + "/submit")
        self.may_not(self.dean, "role-missing", "POST", path + "/submit")
        self.may(self.lead, "POST", path + "/submit")
        self.review(assessment)

    def add_evidence(self, assessment: str, criterion: str) -> None:
        proof = {"assessment": assessment, "criterion": criterion, "title": "Faculty profile", "file": FILE}
        self.may_not(self.dean, "role-missing", "POST", "/evidence", proof)
        refused = self.send(self.outsider, "POST", "/evidence", proof)
        self.assertIn(refused.status, (400, 403), refused.body)
        type(self).refused += 1
        no_file = {**proof, "file": {"name": "x"}}
        self.may_not(self.lead, "invalid-request", "POST", "/evidence", no_file, at="#/file/key")
        made = self.may(self.rater, "POST", "/evidence", proof)["id"]
        self.may_not(self.lead, "forbidden", "PATCH", f"/evidence/{made}", {"title": "Other"})
        self.may_not(self.outsider, "not-found", "GET", f"/evidence/{made}")
        self.may_not(self.outsider, "not-found", "DELETE", f"/evidence/{made}")
        self.may_not(self.student, "role-missing", "GET", f"/evidence/{made}")
        self.may(self.dean, "GET", f"/evidence/{made}")
        self.may(self.lead, "DELETE", f"/evidence/{made}")

    def rate(self, assessment: str, criteria: list[str]) -> None:
        for criterion, (_, _, weight, score) in zip(criteria, CRITERIA, strict=True):
            line = {
                "assessment": assessment,
                "criterion": criterion,
                "rater": self.rater.uid,
                "weight": weight,
            }
            self.may_not(self.lead, "role-missing", "POST", "/ratings", line)
            self.may_not(self.other_dean, "invalid-request", "POST", "/ratings", line, at="#/assessment")
            self.may_not(
                self.dean, "invalid-request", "POST", "/ratings", {**line, "score": "5"}, at="#/score"
            )
            path = f"/ratings/{self.may(self.dean, 'POST', '/ratings', line)['id']}"
            self.may_not(self.lead, "forbidden", "PATCH", path, {"score": "5.00"})
            self.may_not(self.outsider, "not-found", "PATCH", path, {"score": "5.00"})
            self.may_not(self.rater, "invalid-request", "PATCH", path, {"score": "5.01"}, at="#/score")
            self.may_not(self.rater, "invalid-request", "PATCH", path, {"weight": "100"}, at="#/weight")
            self.may(self.rater, "PATCH", path, {"score": score})
        # (8 × 4.25 + 4 × 3.5 + 2.5 × 1) / 14.5 = 3.4827…
        record = self.may(self.lead, "GET", f"/assessments/{assessment}")
        self.assertEqual((record["score"], record["ratings"], record["evidence"]), ("3.48", 3, 0))

    def review(self, assessment: str) -> None:
        path = f"/assessments/{assessment}"
        for step in ("begin_review", "send_back", "approve"):
            self.may_not(self.lead, "role-missing", "POST", f"{path}/{step}")
            self.may_not(self.other_dean, "not-found", "POST", f"{path}/{step}")
        self.may_not(self.dean, "wrong-state", "POST", path + "/approve")
        self.may(self.dean, "POST", path + "/begin_review")
        remark = {"assessment": assessment, "kind": "recommendation", "text": "Name the sources"}
        self.may_not(self.lead, "role-missing", "POST", "/remarks", remark)
        self.may_not(self.other_dean, "invalid-request", "POST", "/remarks", remark, at="#/assessment")
        made = f"/remarks/{self.may(self.dean, 'POST', '/remarks', remark)['id']}"
        self.may_not(self.rater, "forbidden", "PATCH", made, {"answer": "Done"})
        self.may_not(self.lead, "invalid-request", "PATCH", made, {"text": "Fine"}, at="#/text")
        self.may(self.lead, "PATCH", made, {"answer": "Done"})
        self.may(self.dean, "POST", path + "/send_back")
        self.may_not(self.dean, "wrong-state", "POST", path + "/begin_review")
        version = self.may(self.lead, "GET", path)["version"]
        self.may(self.lead, "PATCH", path, {"summary": "Better"}, f'"{version}"')
        self.may(self.lead, "POST", path + "/submit")
        self.may(self.dean, "POST", path + "/begin_review")
        self.may(self.dean, "POST", path + "/approve")
        for caller in (self.dean, self.lead):
            self.may_not(caller, "role-missing", "POST", path + "/publish")
        self.may_not(sign_in.UNAUTHENTICATED, "not-found", "GET", path)
        self.may(self.admin, "POST", path + "/publish")
        self.assertEqual(self.may(sign_in.UNAUTHENTICATED, "GET", path)["score"], "3.48")
        self.may_not(sign_in.UNAUTHENTICATED, "token-missing", "GET", f"/ratings?assessment={assessment}")
        self.may_not(self.lead, "forbidden", "DELETE", path)

    def test_a_survey_is_opened_answered_and_closed(self):
        program = self.create_program("BSIT")
        company = {"company": "Lakandula", "industry": "bpo", "contact": "Ramon", "email": "r@example.com"}
        self.may_not(self.student, "role-missing", "POST", "/employers", company)
        mine = f"/employers/{self.may(self.employer, 'POST', '/employers', company)['id']}"
        self.may_not(self.employer, "already-exists", "POST", "/employers", company)
        self.may_not(self.rival, "not-found", "GET", mine)
        self.may_not(self.rival, "not-found", "DELETE", mine)
        self.may_not(self.dean, "role-missing", "PATCH", mine, {"contact": "Other"})
        questionnaire = {
            "title": "Graduates 2026",
            "program": program,
            "audience": "employers",
            "questions": ["How?"],
        }
        self.may_not(self.lead, "role-missing", "POST", "/surveys", questionnaire)
        self.may_not(self.other_dean, "forbidden", "POST", "/surveys", questionnaire)
        survey = self.may(self.dean, "POST", "/surveys", questionnaire)["id"]
        path = f"/surveys/{survey}"
        reply = {"survey": survey, "answers": {"1": "Well"}, "satisfaction": 4}
        self.may_not(self.employer, "not-found", "GET", path)
        self.may_not(self.employer, "invalid-request", "POST", "/responses", reply, at="#/survey")
        self.may_not(self.dean, "incomplete", "POST", path + "/open", at="#/closes_on")
        self.may_not(self.dean, "guard-failed", "POST", path + "/open", {"closes_on": "2020-01-01"})
        self.may_not(self.other_dean, "not-found", "POST", path + "/open", {"closes_on": "2099-01-01"})
        self.may(self.dean, "POST", path + "/open", {"closes_on": "2099-01-01"})
        self.assertNotIn("satisfaction", self.may(self.employer, "GET", path))
        self.may_not(self.employer, "invalid-request", "GET", "/surveys?sort=satisfaction", at="?sort")
        select = "/surveys/aggregate?select=avg(satisfaction)"
        self.may_not(self.employer, "invalid-request", "GET", select, at="?select")
        mine = f"/responses/{self.may(self.employer, 'POST', '/responses', reply)['id']}"
        self.may_not(self.employer, "already-exists", "POST", "/responses", reply)
        self.may_not(
            self.rival, "forbidden", "POST", "/responses", {**reply, "respondent": self.employer.uid}
        )
        self.may_not(self.rival, "not-found", "GET", mine)
        self.may_not(self.other_dean, "not-found", "GET", mine)
        self.may_not(self.dean, "role-missing", "PATCH", mine, {"satisfaction": 5})
        self.may_not(
            self.employer, "invalid-request", "PATCH", mine, {"satisfaction": 0}, at="#/satisfaction"
        )
        self.may(self.rival, "POST", "/responses", {**reply, "satisfaction": 1})
        counted = self.may(self.dean, "GET", path)
        self.assertEqual((counted["answers"], counted["satisfaction"]), (2, "2.50"))
        self.may_not(self.employer, "role-missing", "POST", path + "/close")
        self.may(self.dean, "POST", path + "/close")
        self.may_not(self.employer, "not-found", "GET", path)
        self.may_not(self.dean, "forbidden", "PATCH", path, {"title": "Other"})


if __name__ == "__main__":
    harness.main()
