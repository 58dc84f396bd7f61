#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Campus, from the application of a student to the alumni, over HTTP with tokens of all participants."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import sign_in  # noqa: E402
from scenario import Scenario  # noqa: E402

ADDRESS = {"line": "12 Mabini", "barangay": "San Roque", "city": "Marikina", "province": "Metro Manila"}
CARD = {"key": "applicants/138.pdf", "name": "138.pdf", "content_type": "application/pdf", "bytes": 12345}


def applicant(program: str, **fields) -> dict:
    return {
        "family_name": "Dela Cruz",
        "given_name": "Maria Clara",
        "born": "2008-03-01",
        "email": "mc@example.com",
        "mobile": "0917 123 4567",
        "address": ADDRESS,
        "program": program,
        **fields,
    }


class Campus(Scenario):
    app = "campus"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registrar, cls.admin = cls.new_user("registrar"), cls.new_user("admin")
        cls.professor = cls.new_user("professor")
        cls.colleague = cls.new_user("professor", "colleague")
        cls.maria, cls.other = cls.new_user("student", "maria"), cls.new_user("student", "other")
        cls.new_applicant, cls.other_applicant = cls.new_user("", "new_applicant"), cls.new_user("", "other_applicant")

    def setUp(self):
        """Creates a programme, a course and a term with other names for each test."""
        number = type(self).number = getattr(type(self), "number", 0) + 1
        tag = "ABCDEFGH"[number]
        self.number = number
        self.degree = self.may(
            self.registrar, "POST", "/programs", {"code": f"BS{tag}", "title": "Nursing", "college": "Health"}
        )["id"]
        course = {"code": f"N{tag} 101", "title": "Care", "units": "3.0", "program": self.degree}
        self.course = self.may(self.registrar, "POST", "/courses", course)["id"]
        self.term = self.may(
            self.registrar,
            "POST",
            "/terms",
            {
                "name": f"First Semester {tag}",
                "school_year": f"202{number}-202{number + 1}",
                "semester": "first",
                "begins": "2026-08-01",
                "ends": "2026-12-15",
            },
        )["id"]

    def create_student(self, caller: sign_in.Principal, **fields) -> dict:
        student = {
            "user": caller.uid,
            "number": f"2026-{self.number:02}{len(caller.uid):03}",
            "family_name": "Dela Cruz",
            "given_name": "Maria",
            "email": f"{caller.uid.lower()}@example.com",
            "program": self.degree,
            **fields,
        }
        return self.may(self.registrar, "POST", "/students", student)

    def test_an_applicant_becomes_a_student(self):
        new_applicant, registrar = self.new_applicant, self.registrar
        self.may_not(sign_in.UNAUTHENTICATED, "token-missing", "POST", "/applicants", applicant(self.degree))
        self.may_not(
            new_applicant, "role-missing", "POST", "/programs", {"code": "X", "title": "X", "college": "X"}
        )
        for_others = applicant(self.degree, user=self.other_applicant.uid)
        self.may_not(new_applicant, "forbidden", "POST", "/applicants", for_others)
        self.may_not(new_applicant, "invalid-request", "POST", "/applicants", applicant(self.term), at="#/program")
        no_phone = applicant(self.degree, mobile="12")
        self.may_not(new_applicant, "invalid-request", "POST", "/applicants", no_phone, at="#/mobile")
        made = self.may(new_applicant, "POST", "/applicants", applicant(self.degree, lrn="136514090123"))
        self.assertEqual(
            (made["state"], made["mobile"], made["user"]), ("applied", "+639171234567", new_applicant.uid)
        )
        path = f"/applicants/{made['id']}"
        self.may_not(
            new_applicant, "already-exists", "POST", "/applicants", applicant(self.degree, lrn="136514090123")
        )
        for caller in (self.other_applicant, self.maria, self.professor):
            self.may_not(caller, "not-found", "GET", path)
            self.assertEqual(self.listed_ids(caller, "/applicants"), set())
        self.may_not(sign_in.UNAUTHENTICATED, "token-missing", "GET", path)
        self.may(new_applicant, "PATCH", path, {"last_school": "Marikina Science High School"})
        self.may_not(new_applicant, "invalid-request", "PATCH", path, {"state": "admitted"}, at="#/state")
        self.may_not(new_applicant, "invalid-request", "PATCH", path, {"user": self.other_applicant.uid}, at="#/user")
        self.may_not(new_applicant, "role-missing", "POST", path + "/screen", {"general_average": "91.5"})
        self.may_not(self.admin, "role-missing", "POST", path + "/screen", {"general_average": "91.5"})
        self.may_not(registrar, "incomplete", "POST", path + "/screen", at="#/general_average")
        self.may_not(registrar, "wrong-state", "POST", path + "/admit")
        self.may(registrar, "POST", path + "/screen", {"general_average": "74.5"})
        self.may_not(new_applicant, "forbidden", "PATCH", path, {"last_school": "Another"})
        self.may_not(new_applicant, "role-missing", "GET", "/screenings")
        self.may_not(new_applicant, "role-missing", "POST", "/screenings", {"applicant": made["id"]})
        exam = {"applicant": made["id"], "exam_score": "80", "interview_score": "90"}
        self.assertEqual(self.may(registrar, "POST", "/screenings", exam)["total"], "84.00")
        self.may_not(
            registrar, "invalid-request", "POST", "/screenings", {**exam, "total": "100"}, at="#/total"
        )
        self.may_not(registrar, "guard-failed", "POST", path + "/admit")
        self.may(registrar, "PATCH", path, {"general_average": "91.5"})
        self.may(registrar, "POST", path + "/admit", {"message": "Welcome"})
        self.may_not(registrar, "incomplete", "POST", path + "/enroll")
        self.may(registrar, "PATCH", path, {"report_card": CARD, "birth_certificate": CARD})
        self.assertEqual(self.may(registrar, "POST", path + "/enroll")["state"], "enrolled")
        self.may_not(new_applicant, "wrong-state", "POST", path + "/withdraw")
        self.may_not(registrar, "role-missing", "DELETE", path)
        self.assertEqual(self.may(new_applicant, "GET", path)["message"], "Welcome")

    def test_an_applicant_withdraws_and_another_is_rejected(self):
        first = self.may(self.other_applicant, "POST", "/applicants", applicant(self.degree))["id"]
        second = self.may(self.registrar, "POST", "/applicants", applicant(self.degree))["id"]
        self.may_not(self.new_applicant, "not-found", "POST", f"/applicants/{first}/withdraw")
        self.may(self.other_applicant, "POST", f"/applicants/{first}/withdraw")
        self.may_not(self.other_applicant, "wrong-state", "POST", f"/applicants/{first}/withdraw")
        self.may_not(self.registrar, "incomplete", "POST", f"/applicants/{second}/reject", at="#/message")
        self.may(self.registrar, "POST", f"/applicants/{second}/reject", {"message": "No place left"})
        self.may_not(self.registrar, "wrong-state", "POST", f"/applicants/{second}/screen")
        self.may(self.admin, "DELETE", f"/applicants/{second}")
        self.may_not(self.admin, "not-found", "GET", f"/applicants/{second}")

    def test_a_student_enrolls_is_graded_pays_and_graduates(self):
        student = self.create_student(self.maria)
        other_student = self.create_student(self.other, number="2026-99999")
        term = f"/terms/{self.term}"
        self.may_not(self.professor, "role-missing", "POST", term + "/open_enrollment")
        self.may_not(self.registrar, "incomplete", "POST", term + "/open_enrollment")
        self.may(self.registrar, "PATCH", term, {"enrollment_until": "2026-08-15"})
        self.may(self.registrar, "POST", term + "/open_enrollment")
        section = {
            "code": f"N-{self.number}",
            "course": self.course,
            "term": self.term,
            "professor": self.professor.uid,
        }
        self.may_not(self.professor, "role-missing", "POST", "/sections", section)
        self.section = self.may(self.registrar, "POST", "/sections", section)["id"]
        enrollment = self.enroll(student, other_student)
        self.grade(student, enrollment)
        self.pay(student)
        self.clear(student)
        self.graduate(student)

    def enroll(self, student: dict, other_student: dict) -> str:
        own = {"student": student["id"], "section": self.section}
        for_another = {"student": other_student["id"], "section": self.section}
        # An unreadable student counts as unknown, so the reference can be refused before the access rule.
        refused = self.send(self.maria, "POST", "/enrollments", for_another)
        self.assertIn(refused.status, (400, 403), refused.body)
        type(self).refused += 1
        self.may_not(self.professor, "role-missing", "POST", "/enrollments", own)
        with_units = {**own, "units": "3.0"}
        self.may_not(self.maria, "invalid-request", "POST", "/enrollments", with_units, at="#/units")
        enrollment = self.may(self.maria, "POST", "/enrollments", own)["id"]
        path = f"/enrollments/{enrollment}"
        self.may_not(self.maria, "already-exists", "POST", "/enrollments", own)
        self.may_not(self.maria, "role-missing", "POST", path + "/enroll", {"units": "3.0"})
        self.may_not(self.other, "not-found", "GET", path)
        self.may_not(self.other, "not-found", "POST", path + "/drop")
        self.may_not(self.colleague, "not-found", "GET", path)
        self.may_not(self.registrar, "incomplete", "POST", path + "/enroll")
        self.may(self.registrar, "POST", path + "/enroll", {"units": "3.0"})
        self.may_not(self.registrar, "incomplete", "POST", path + "/complete")
        # A professor can read only their own students, without some fields.
        record = self.may(self.professor, "GET", f"/students/{student['id']}")
        self.assertEqual(record["family_name"], "Dela Cruz")
        self.assertFalse({"email", "born", "gpa", "balance", "user"} & set(record), record)
        self.may_not(self.professor, "not-found", "GET", f"/students/{other_student['id']}")
        self.may_not(self.professor, "invalid-request", "GET", "/students?gpa=ge.1", at="?gpa")
        self.may_not(self.professor, "invalid-request", "GET", "/students?sort=balance", at="?sort")
        self.may_not(self.colleague, "not-found", "GET", f"/students/{student['id']}")
        self.may_not(self.maria, "invalid-request", "GET", "/sections?fields=average", at="?fields")
        return enrollment

    def grade(self, student: dict, enrollment: str) -> None:
        grade = {"enrollment": enrollment, "period": "midterm", "value": "1.50"}
        for caller in (self.maria, self.registrar, self.admin):
            self.may_not(caller, "role-missing", "POST", "/grades", grade)
        foreign = self.send(self.colleague, "POST", "/grades", grade)
        self.assertIn(foreign.status, (400, 403), foreign.body)
        type(self).refused += 1
        self.may_not(
            self.professor, "invalid-request", "POST", "/grades", {**grade, "value": "5.5"}, at="#/value"
        )
        midterm = self.may(self.professor, "POST", "/grades", grade)
        final = self.may(
            self.professor, "POST", "/grades", {**grade, "period": "final", "value": "2.00", "weight": 3}
        )
        self.may_not(self.professor, "already-exists", "POST", "/grades", grade)
        path = f"/grades/{midterm['id']}"
        self.assertEqual(self.may(self.maria, "GET", path)["value"], "1.50")
        self.may_not(self.other, "not-found", "GET", path)
        self.may_not(self.colleague, "not-found", "PATCH", path, {"value": "1.00"}, '"1"')
        self.may_not(self.maria, "role-missing", "PATCH", path, {"value": "1.00"}, '"1"')
        self.may_not(self.professor, "if-match-missing", "PATCH", path, {"value": "1.25"})
        self.may_not(self.maria, "incomplete", "POST", path + "/contest")
        self.may(self.maria, "POST", path + "/contest", {"objection": "Page 3 was not counted"})
        self.may_not(self.maria, "role-missing", "POST", path + "/settle", {"value": "1.00"})
        self.may_not(self.colleague, "not-found", "POST", path + "/settle", {"value": "1.00"})
        self.may_not(self.registrar, "wrong-state", "POST", path + "/finalize")
        self.may(self.professor, "POST", path + "/settle", {"value": "1.25"})
        self.may_not(self.professor, "version-mismatch", "PATCH", path, {"value": "1.00"}, '"1"')
        for one in (midterm, final):
            self.may(self.registrar, "POST", f"/grades/{one['id']}/finalize")
        self.may_not(self.professor, "forbidden", "PATCH", path, {"value": "1.00"}, '"4"')
        self.may_not(self.professor, "forbidden", "DELETE", path)
        self.assertEqual(self.may(self.maria, "GET", f"/enrollments/{enrollment}")["final_grade"], "1.81")
        self.may_not(self.professor, "role-missing", "POST", f"/enrollments/{enrollment}/complete")
        self.may(self.registrar, "POST", f"/enrollments/{enrollment}/complete")
        self.may_not(self.maria, "wrong-state", "POST", f"/enrollments/{enrollment}/drop")
        self.assertEqual(self.may(self.maria, "GET", f"/students/{student['id']}")["gpa"], "1.81")

    def pay(self, student: dict) -> None:
        owed = {"amount": 2500050, "currency": "PHP"}
        invoice = {
            "number": f"INV-2026-0000{self.number}",
            "student": student["id"],
            "term": self.term,
            "amount": owed,
            "due": "2026-09-01",
        }
        for caller in (self.maria, self.professor, self.admin):
            self.may_not(caller, "role-missing", "POST", "/invoices", invoice)
        dollars = {**invoice, "amount": {"amount": 2500050, "currency": "USD"}}
        self.may_not(self.registrar, "invalid-request", "POST", "/invoices", dollars, at="#/amount/currency")
        made = self.may(self.registrar, "POST", "/invoices", invoice)["id"]
        path = f"/invoices/{made}"
        self.may_not(self.other, "not-found", "GET", path)
        self.may_not(self.professor, "role-missing", "GET", path)
        self.may_not(self.maria, "role-missing", "POST", path + "/pay")
        self.may_not(self.registrar, "guard-failed", "POST", path + "/pay")
        part = {
            "invoice": made,
            "amount": {"amount": 2500049},
            "method": "gcash",
            "receipt": f"OR-{self.number}-1",
        }
        self.may_not(self.maria, "role-missing", "POST", "/payments", part)
        self.may(self.registrar, "POST", "/payments", part)
        self.assertEqual(self.may(self.maria, "GET", path)["balance"], {"amount": 1, "currency": "PHP"})
        self.may_not(self.registrar, "guard-failed", "POST", path + "/pay")
        self.may_not(self.registrar, "already-exists", "POST", "/payments", {**part, "amount": {"amount": 1}})
        graduation = {"graduated_on": "2030-04-01", "honors": "cum_laude"}
        self.may_not(
            self.registrar, "guard-failed", "POST", f"/students/{student['id']}/graduate", graduation
        )
        last = self.may(
            self.registrar,
            "POST",
            "/payments",
            {**part, "amount": {"amount": 1}, "receipt": f"OR-{self.number}-2"},
        )
        self.may_not(
            self.registrar, "method-not-allowed", "PATCH", f"/payments/{last['id']}", {"remarks": "-"}
        )
        self.may(self.registrar, "POST", path + "/pay")
        self.may_not(self.registrar, "forbidden", "PATCH", path, {"amount": {"amount": 100}})

    def clear(self, student: dict) -> None:
        clearance = {"student": student["id"], "term": self.term, "office": "library"}
        self.may_not(self.professor, "role-missing", "POST", "/clearances", clearance)
        self.may_not(
            self.maria, "invalid-request", "POST", "/clearances", {**clearance, "remarks": "!"}, at="#/remarks"
        )
        path = f"/clearances/{self.may(self.maria, 'POST', '/clearances', clearance)['id']}"
        self.may_not(self.maria, "role-missing", "POST", path + "/clear", {"cleared_on": "2026-12-16"})
        self.may_not(self.other, "not-found", "GET", path)
        self.may_not(self.registrar, "incomplete", "POST", path + "/hold")
        self.may(self.registrar, "POST", path + "/hold", {"remarks": "A book is missing"})
        self.may_not(self.registrar, "incomplete", "POST", path + "/clear")
        self.may(self.registrar, "POST", path + "/clear", {"cleared_on": "2026-12-16"})

    def graduate(self, student: dict) -> None:
        path = f"/students/{student['id']}"
        tag = f'"{self.may(self.maria, "GET", path)["version"]}"'
        self.may(self.maria, "PATCH", path, {"mobile": "0918 765 4321"}, tag)
        tag = f'"{self.may(self.maria, "GET", path)["version"]}"'
        self.may_not(
            self.maria, "invalid-request", "PATCH", path, {"scholarship": "unifast"}, tag, "#/scholarship"
        )
        self.may_not(self.other, "not-found", "PATCH", path, {"mobile": "0918 765 4321"}, tag)
        self.may_not(self.maria, "role-missing", "POST", path + "/graduate", {"graduated_on": "2030-04-01"})
        self.may_not(self.maria, "wrong-state", "POST", path + "/join_alumni")
        self.may(self.registrar, "POST", path + "/take_leave")
        self.may_not(
            self.registrar, "wrong-state", "POST", path + "/graduate", {"graduated_on": "2030-04-01"}
        )
        self.may(self.registrar, "POST", path + "/return_from_leave")
        self.may_not(self.registrar, "incomplete", "POST", path + "/graduate")
        graduated = self.may(self.registrar, "POST", path + "/graduate", {"graduated_on": "2030-04-01"})
        self.assertEqual((graduated["state"], graduated["graduated_on"]), ("graduated", "2030-04-01"))
        self.may_not(self.other, "not-found", "POST", path + "/join_alumni")
        self.assertEqual(self.may(self.maria, "POST", path + "/join_alumni")["state"], "alumni")
        self.may_not(self.registrar, "role-missing", "DELETE", path)
        self.may(self.admin, "DELETE", path)
        self.may_not(self.maria, "not-found", "GET", path)
        self.may_not(self.registrar, "not-found", "GET", path)


if __name__ == "__main__":
    harness.main()
