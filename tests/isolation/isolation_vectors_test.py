#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Ways around the rules that are not routes: hidden fields in filters, sort keys, sums and expansions, cursors of
others, ETags, unique values and references as oracles, SQL in every place that takes a text."""

import concurrent.futures
import json
import sys
import unittest
import uuid
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import sign_in  # noqa: E402
from access_oracle import NONE, App, Caller  # noqa: E402

APPS = ("campus", "evntgarde", "pillars", "teleo")
PAYLOADS = [
    "'",
    "''",
    '"',
    "\\",
    "';SELECT pg_sleep(9)--",
    "' OR '1'='1",
    "') OR true--",
    '" OR true--',
    '"; DROP TABLE data.students; --',
    "1) UNION SELECT usename FROM pg_shadow--",
    "$1",
    "$$; SELECT 1; $$",
    "%s%n{0}",
    "\u0000",
    "\u2019 OR 1=1",
    "eq.' OR true--",
    "in.(a,b') OR true--)",
    "like.%' OR true--",
    "null.true OR true",
    "ge.NaN",
    "eq.Infinity",
    "eq.99999999999999999999999",
    "/**/OR/**/true",
    "number::text",
    "(SELECT 1)",
    "number);--",
    "created_at,(SELECT version())",
    "*",
    "data.students",
    "a" * 5000,
]
PARAMETERS = (
    "number",
    "state",
    "id",
    "year_level",
    "balance",
    "created_at",
    "user",
    "q",
    "sort",
    "fields",
    "expand",
    "limit",
    "next",
    "family_name",
)


def without_id(body: bytes) -> dict:
    problem = json.loads(body)
    problem.pop("request_id", None)
    return problem


class Vectors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = sign_in.start_program()
        cls.asked = 0
        sign_up = sign_in.sign_up
        cls.registrar = sign_up(cls.program, "campus", "registrar", "reg")
        cls.professor = sign_up(cls.program, "campus", "professor", "prof")
        cls.maria = sign_up(cls.program, "campus", "student", "maria")
        cls.other = sign_up(cls.program, "campus", "student", "other")
        cls.program_id = cls.make("programs", {"code": "BSN", "title": "Nursing", "college": "Health"})
        cls.mine = cls.make_student(cls.maria, "2026-00001")
        cls.theirs = cls.make_student(cls.other, "2026-00002")
        for number in range(3, 12):
            cls.make_student(None, f"2026-{number:05}")

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()
        print(f"\n{cls.asked} ways tried")

    @classmethod
    def send(cls, who, method, path, body=None, app="campus", **headers):
        cls.asked += 1
        if body is not None:
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls.program.call(method, f"/v1/apps/{app}/{path}", token=who.token, body=body, headers=headers)

    @classmethod
    def make(cls, collection, body) -> str:
        answer = cls.send(cls.registrar, "POST", collection, body)
        assert answer.status == 201, answer.body
        return answer.json()["id"]

    @classmethod
    def make_student(cls, who, number) -> str:
        student = {
            "number": number,
            "family_name": "Dela Cruz",
            "given_name": "Juan",
            "program": cls.program_id,
        }
        student |= {"email": f"{number}@example.com", **({"user": who.uid} if who else {})}
        return cls.make("students", student)

    def test_a_hidden_field_is_as_unknown_as_one_that_is_not_there(self):
        hidden_fields = 0
        for name in APPS:
            app = App(self.program.manifests / f"{name}.yaml")
            for role in app.roles:
                caller = Caller(role, role, "u")
                token = None
                for collection, declared in app.collections.items():
                    shown = app.fields_for(collection, "read", caller)
                    hidden = [field for field in declared["fields"] if field not in shown]
                    if not shown or not hidden:
                        continue
                    token = token or sign_in.Principal(name, role, "", self.program.token(name, role))
                    hidden_fields += len(hidden)
                    for field in hidden:
                        self.expect_unknown(token, name, collection, field)
        print(f"\n{hidden_fields} fields that some role must not see")
        self.assertGreater(hidden_fields, 10)

    def expect_unknown(self, who, app: str, collection: str, field: str) -> None:
        nothing = "q" * len(field)
        forms = [
            "?{}=eq.1",
            "?{}=null.true",
            "?{}=like.a",
            "?sort={}",
            "?sort=-{}",
            "?fields=id,{}",
            "?expand={}",
            "/aggregate?select=min({})",
            "/aggregate?select=sum({})",
            "/aggregate?group={}",
            "/aggregate?{}=null.false",
        ]
        for form in forms:
            with self.subTest(app=app, role=who.role, path=collection + form.format(field)):
                real = self.send(who, "GET", collection + form.format(field), app=app)
                none = self.send(who, "GET", collection + form.format(nothing), app=app)
                self.assertEqual((real.status, none.status), (400, 400), real.body)
                told = json.dumps(without_id(real.body)).replace(field, nothing)
                said = json.dumps(without_id(none.body))
                self.assertEqual(told.partition("; did you")[0], said.partition("; did you")[0])

    def test_sql_in_any_place_is_a_value_or_a_mistake(self):
        for payload in PAYLOADS:
            text = quote(payload, safe="")
            paths = [f"students?{name}={text}" for name in PARAMETERS]
            paths += [f"students?{text}=1", f"students/{text}", f"students/aggregate?select={text}"]
            paths += [f"students/aggregate?group={text}", f"students/aggregate?select=min({text})"]
            for path in paths:
                with self.subTest(path=path[:200]):
                    answer = self.send(self.maria, "GET", path)
                    self.assertIn(answer.status, (200, 400, 404, 414), answer.body)
                    if answer.status == 200 and "aggregate" not in path:
                        shown = {item["id"] for item in answer.json()["items"]}
                        self.assertLessEqual(shown, {self.mine})
            if all(" " <= letter < "\u007f" for letter in payload):
                answer = self.send(self.maria, "GET", f"students/{self.theirs}", If_None_Match=payload)
                self.assertEqual(answer.status, 404, answer.body)
                answer = self.send(
                    self.maria, "PATCH", f"students/{self.theirs}", {"mobile": None}, If_Match=payload
                )
                self.assertEqual(answer.status, 404, answer.body)
            body = {"family_name": payload, "message": payload, "user": payload}
            answer = self.send(self.maria, "POST", "applicants", body)
            self.assertIn(answer.status, (400, 403), answer.body)
        self.assertEqual(
            self.send(self.registrar, "GET", "students/aggregate").json()["items"], [{"count": 11}]
        )

    def test_a_cursor_is_good_for_its_own_list_only(self):
        first = self.send(self.registrar, "GET", "students?limit=3").json()["next"]
        self.assertTrue(first)
        admin = sign_in.sign_up(self.program, "campus", "admin", "adm")
        second = sign_in.sign_up(self.program, "campus", "registrar", "reg2")
        good = self.send(self.registrar, "GET", f"students?limit=3&next={first}")
        self.assertEqual(good.status, 200)
        for who, path in [
            (admin, "students?limit=3"),
            (second, "students?limit=3"),
            (self.maria, "students?limit=3"),
            (self.registrar, "students?limit=3&sort=number"),
            (self.registrar, "students?limit=3&state=active"),
            (self.registrar, "students?limit=3&q=Juan"),
            (self.registrar, "applicants?limit=3"),
            (self.registrar, "faculty?limit=3"),
        ]:
            answer = self.send(who, "GET", f"{path}&next={first}")
            self.assertEqual(answer.status, 400, (path, answer.body))
            self.assertEqual(answer.json()["errors"][0]["pointer"], "?next")
        for place in range(len(first)):
            changed = first[:place] + ("A" if first[place] != "A" else "B") + first[place + 1 :]
            answer = self.send(self.registrar, "GET", f"students?limit=3&next={quote(changed)}")
            # The last letter of base64 has bits that mean nothing.
            if place < len(first) - 1 or answer.status != 200:
                self.assertEqual(answer.status, 400, changed)
        for cut in ("", first[:-8], first + "AAAA", "null", "."):
            answer = self.send(self.registrar, "GET", f"students?limit=3&next={quote(cut)}")
            self.assertIn(answer.status, (400,) if cut else (200, 400), cut)

    def test_versions_of_unseen_records_are_not_told(self):
        path, unknown = f"students/{self.theirs}", f"students/{uuid.uuid4()}"
        tags = ('"1"', '"2"', "*", 'W/"1"', '"1", "2", "3"')
        for tag in tags:
            for method, body, headers in [
                ("GET", None, {"If_None_Match": tag}),
                ("PATCH", {"mobile": "0917 123 4567"}, {"If_Match": tag}),
            ]:
                real = self.send(self.maria, method, path, body, **headers)
                none = self.send(self.maria, method, unknown, body, **headers)
                self.assertEqual((real.status, none.status), (404, 404), (method, tag, real.body))
                self.assertEqual(without_id(real.body), without_id(none.body))

    def test_references_and_unique_values_do_not_tell_what_there_is(self):
        term = self.make(
            "terms",
            {
                "name": "First",
                "school_year": "2026-2027",
                "semester": "first",
                "begins": "2026-08-01",
                "ends": "2026-12-15",
            },
        )
        wish = {"student": self.theirs, "term": term, "office": "library"}
        self.assertEqual(self.send(self.registrar, "POST", "clearances", wish).status, 201)
        # One who is there, with a place that is taken; one who is there; one who is not.
        answers = [
            self.send(self.maria, "POST", "clearances", body)
            for body in (wish, {**wish, "office": "dean"}, {**wish, "student": str(uuid.uuid4())})
        ]
        self.assertEqual({answer.status for answer in answers}, {400}, answers[0].body)
        self.assertEqual(without_id(answers[0].body), without_id(answers[2].body))
        self.assertEqual(without_id(answers[1].body), without_id(answers[2].body))
        person = {
            "family_name": "A",
            "given_name": "B",
            "born": "2008-03-01",
            "email": "a@example.com",
            "mobile": "0917 123 4567",
            "address": {"city": "Marikina"},
            "program": self.program_id,
        }
        taken = {**person, "lrn": "136514090123"}
        self.assertEqual(self.send(self.other, "POST", "applicants", taken).status, 201)
        # Who may not create it is not told that its number is taken.
        for body in (taken, {**person, "lrn": "136514090999"}):
            answer = self.send(self.maria, "POST", "applicants", {**body, "user": self.other.uid})
            self.assertEqual(answer.status, 403, answer.body)
        both = [
            self.send(self.maria, "POST", "applicants", {**body, "user": self.other.uid}).body
            for body in (taken, {**person, "lrn": "136514090999"})
        ]
        self.assertEqual(without_id(both[0]), without_id(both[1]))

    def test_a_role_in_the_token_is_not_taken_at_its_word(self):
        """Words that are roles of the database, or of nobody, are no roles of the app."""
        for number, role in enumerate(
            (NONE, "anonymous", "integreat_owner", "tenant_campus__registrar", "Registrar")
        ):
            liar = sign_in.sign_up(self.program, "campus", role, f"liar{number}")
            for path in ("students", f"students/{self.mine}", "screenings"):
                self.assertEqual(self.send(liar, "GET", path).status, 403, role)
            self.assertEqual(self.send(liar, "GET", "applicants").json()["items"], [])

    def applicant(self, who, **more) -> dict:
        return {
            "family_name": who.uid[:20],
            "given_name": "B",
            "born": "2008-03-01",
            "email": "a@example.com",
            "mobile": "0917 123 4567",
            "address": {"city": "Marikina"},
            "program": self.program_id,
            **more,
        }

    def test_callers_at_the_same_time_are_not_taken_for_each_other(self):
        """All share a few connections to the database; whoever was served before must not show."""
        callers = [sign_in.sign_up(self.program, "campus", "", f"crowd{number}") for number in range(10)]
        own = {}
        for who in callers:
            made = self.send(who, "POST", "applicants", self.applicant(who))
            self.assertEqual(made.status, 201, made.body)
            own[who.uid] = made.json()["id"]
        uids = [who.uid for who in callers]

        def work(who) -> list[str]:
            wrong = []
            for number in range(40):
                other = own[uids[(uids.index(who.uid) + number) % len(uids)]]
                mine = other == own[who.uid]
                listed = [item["id"] for item in self.send(who, "GET", "applicants").json()["items"]]
                one = self.send(who, "GET", f"applicants/{other}").status
                refused = self.send(
                    who, "POST", "applicants", self.applicant(who, user=self.maria.uid)
                ).status
                changed = self.send(who, "PATCH", f"applicants/{other}", {"last_school": who.uid}).status
                count = self.send(self.registrar, "GET", "students/aggregate").json()["items"]
                if (listed, one, changed) != ([own[who.uid]], *((200, 200) if mine else (404, 404))):
                    wrong.append(f"{who.uid} about {other}: {listed} {one} {changed}")
                if refused != 403 or count != [{"count": 11}]:
                    wrong.append(f"{who.uid}: {refused} {count}")
            return wrong

        with concurrent.futures.ThreadPoolExecutor(len(callers)) as pool:
            wrong = [line for lines in pool.map(work, callers) for line in lines]
        self.assertEqual(wrong[:5], [])
        for who in callers:
            school = self.send(self.registrar, "GET", f"applicants/{own[who.uid]}").json().get("last_school")
            self.assertIn(school, (None, who.uid), "changed by somebody else")

    def test_a_list_with_one_record_too_many_is_refused_whole(self):
        both = [
            self.applicant(self.maria, last_school="bulk"),
            self.applicant(self.other, user=self.other.uid),
        ]
        for bodies in (both, both[::-1], [*both, {}]):
            answer = self.send(self.maria, "POST", "applicants", bodies)
            self.assertIn(answer.status, (400, 403), answer.body)
        found = self.send(self.registrar, "GET", "applicants?last_school=bulk").json()["items"]
        self.assertEqual(found, [])

    def test_a_key_of_one_caller_does_not_replay_to_another(self):
        key = str(uuid.uuid4())
        first = sign_in.sign_up(self.program, "campus", "", "first")
        second = sign_in.sign_up(self.program, "campus", "", "second")
        body = {**self.applicant(first), "family_name": "Same"}
        made = self.send(first, "POST", "applicants", body, Idempotency_Key=key)
        again = self.send(second, "POST", "applicants", body, Idempotency_Key=key)
        self.assertEqual((made.status, again.status), (201, 201), again.body)
        self.assertNotEqual(made.json()["id"], again.json()["id"])
        self.assertEqual(again.json()["user"], second.uid)
        self.assertIsNone(again.headers["Idempotent-Replayed"])
        nobody = self.send(sign_in.UNAUTHENTICATED, "POST", "applicants", body, Idempotency_Key=key)
        self.assertEqual(nobody.status, 401, nobody.body)

    def test_other_methods_tell_no_more(self):
        for method in ("HEAD", "GET"):
            real = self.send(self.maria, method, f"students/{self.theirs}")
            none = self.send(self.maria, method, f"students/{uuid.uuid4()}")
            self.assertEqual((real.status, none.status), (404, 404))
            told = ("ETag", "Last-Modified", "Content-Length", "Location")
            self.assertEqual([real.headers[name] for name in told], [none.headers[name] for name in told])
        for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
            path = f"students/{self.mine}"
            self.assertEqual(
                self.send(self.maria, "GET", path, **{name.replace("-", "_"): "DELETE"}).status, 200
            )
            self.assertEqual(self.send(self.maria, "GET", path).status, 200)
        for name in ("Integreat-Role", "Integreat-Subject", "X-Forwarded-User", "Role"):
            answer = self.send(
                self.maria, "GET", f"students/{self.theirs}", **{name.replace("-", "_"): "registrar"}
            )
            self.assertEqual(answer.status, 404)


if __name__ == "__main__":
    harness.main()
