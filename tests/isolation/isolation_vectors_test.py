#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks on access rules within allowed routes: hidden fields in filters, sort keys, aggregates and expansions,
cursors of other users, ETags, unique values and references as oracles, and SQL in every text parameter."""

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
from access_oracle import NO_ROLE, App, Caller  # noqa: E402

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
        cls.attempts = 0
        sign_up = sign_in.sign_up
        cls.registrar = sign_up(cls.program, "campus", "registrar", "reg")
        cls.professor = sign_up(cls.program, "campus", "professor", "prof")
        cls.maria = sign_up(cls.program, "campus", "student", "maria")
        cls.other = sign_up(cls.program, "campus", "student", "other")
        cls.program_id = cls.create("programs", {"code": "BSN", "title": "Nursing", "college": "Health"})
        cls.mine = cls.create_student(cls.maria, "2026-00001")
        cls.theirs = cls.create_student(cls.other, "2026-00002")
        for number in range(3, 12):
            cls.create_student(None, f"2026-{number:05}")

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()
        print(f"\n{cls.attempts} requests")

    @classmethod
    def send(cls, caller, method, path, body=None, app="campus", **headers):
        cls.attempts += 1
        if body is not None:
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls.program.call(method, f"/v1/apps/{app}/{path}", token=caller.token, body=body, headers=headers)

    @classmethod
    def create(cls, collection, body) -> str:
        response = cls.send(cls.registrar, "POST", collection, body)
        assert response.status == 201, response.body
        return response.json()["id"]

    @classmethod
    def create_student(cls, caller, number) -> str:
        student = {
            "number": number,
            "family_name": "Dela Cruz",
            "given_name": "Juan",
            "program": cls.program_id,
        }
        student |= {"email": f"{number}@example.com", **({"user": caller.uid} if caller else {})}
        return cls.create("students", student)

    def test_a_hidden_field_is_reported_like_an_unknown_one(self):
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
        print(f"\n{hidden_fields} fields that some role cannot read")
        self.assertGreater(hidden_fields, 10)

    def expect_unknown(self, caller, app: str, collection: str, field: str) -> None:
        unknown_field = "q" * len(field)
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
            with self.subTest(app=app, role=caller.role, path=collection + form.format(field)):
                hidden = self.send(caller, "GET", collection + form.format(field), app=app)
                unknown = self.send(caller, "GET", collection + form.format(unknown_field), app=app)
                self.assertEqual((hidden.status, unknown.status), (400, 400), hidden.body)
                actual = json.dumps(without_id(hidden.body)).replace(field, unknown_field)
                expected = json.dumps(without_id(unknown.body))
                self.assertEqual(actual.partition("; did you")[0], expected.partition("; did you")[0])

    def test_sql_in_any_parameter_is_a_value_or_an_error(self):
        for payload in PAYLOADS:
            text = quote(payload, safe="")
            paths = [f"students?{name}={text}" for name in PARAMETERS]
            paths += [f"students?{text}=1", f"students/{text}", f"students/aggregate?select={text}"]
            paths += [f"students/aggregate?group={text}", f"students/aggregate?select=min({text})"]
            for path in paths:
                with self.subTest(path=path[:200]):
                    response = self.send(self.maria, "GET", path)
                    self.assertIn(response.status, (200, 400, 404, 414), response.body)
                    if response.status == 200 and "aggregate" not in path:
                        ids = {item["id"] for item in response.json()["items"]}
                        self.assertLessEqual(ids, {self.mine})
            if all(" " <= letter < "\u007f" for letter in payload):
                response = self.send(self.maria, "GET", f"students/{self.theirs}", If_None_Match=payload)
                self.assertEqual(response.status, 404, response.body)
                response = self.send(
                    self.maria, "PATCH", f"students/{self.theirs}", {"mobile": None}, If_Match=payload
                )
                self.assertEqual(response.status, 404, response.body)
            body = {"family_name": payload, "message": payload, "user": payload}
            response = self.send(self.maria, "POST", "applicants", body)
            self.assertIn(response.status, (400, 403), response.body)
        self.assertEqual(
            self.send(self.registrar, "GET", "students/aggregate").json()["items"], [{"count": 11}]
        )

    def test_a_cursor_is_valid_for_its_own_list_only(self):
        first = self.send(self.registrar, "GET", "students?limit=3").json()["next"]
        self.assertTrue(first)
        admin = sign_in.sign_up(self.program, "campus", "admin", "adm")
        second = sign_in.sign_up(self.program, "campus", "registrar", "reg2")
        valid = self.send(self.registrar, "GET", f"students?limit=3&next={first}")
        self.assertEqual(valid.status, 200)
        for caller, path in [
            (admin, "students?limit=3"),
            (second, "students?limit=3"),
            (self.maria, "students?limit=3"),
            (self.registrar, "students?limit=3&sort=number"),
            (self.registrar, "students?limit=3&state=active"),
            (self.registrar, "students?limit=3&q=Juan"),
            (self.registrar, "applicants?limit=3"),
            (self.registrar, "faculty?limit=3"),
        ]:
            response = self.send(caller, "GET", f"{path}&next={first}")
            self.assertEqual(response.status, 400, (path, response.body))
            self.assertEqual(response.json()["errors"][0]["pointer"], "?next")
        for index in range(len(first)):
            changed = first[:index] + ("A" if first[index] != "A" else "B") + first[index + 1 :]
            response = self.send(self.registrar, "GET", f"students?limit=3&next={quote(changed)}")
            # The last character of base64 has unused bits.
            if index < len(first) - 1 or response.status != 200:
                self.assertEqual(response.status, 400, changed)
        for malformed in ("", first[:-8], first + "AAAA", "null", "."):
            response = self.send(self.registrar, "GET", f"students?limit=3&next={quote(malformed)}")
            self.assertIn(response.status, (400,) if malformed else (200, 400), malformed)

    def test_versions_of_unreadable_records_are_not_revealed(self):
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

    def test_references_and_unique_values_do_not_reveal_records(self):
        term = self.create(
            "terms",
            {
                "name": "First",
                "school_year": "2026-2027",
                "semester": "first",
                "begins": "2026-08-01",
                "ends": "2026-12-15",
            },
        )
        clearance = {"student": self.theirs, "term": term, "office": "library"}
        self.assertEqual(self.send(self.registrar, "POST", "clearances", clearance).status, 201)
        # An existing student with a clearance of this office; an existing student without; an unknown student.
        responses = [
            self.send(self.maria, "POST", "clearances", body)
            for body in (clearance, {**clearance, "office": "dean"}, {**clearance, "student": str(uuid.uuid4())})
        ]
        self.assertEqual({response.status for response in responses}, {400}, responses[0].body)
        self.assertEqual(without_id(responses[0].body), without_id(responses[2].body))
        self.assertEqual(without_id(responses[1].body), without_id(responses[2].body))
        person = {
            "family_name": "A",
            "given_name": "B",
            "born": "2008-03-01",
            "email": "a@example.com",
            "mobile": "0917 123 4567",
            "address": {"city": "Marikina"},
            "program": self.program_id,
        }
        existing = {**person, "lrn": "136514090123"}
        self.assertEqual(self.send(self.other, "POST", "applicants", existing).status, 201)
        # A caller caller cannot create the record does not learn that its number exists.
        for body in (existing, {**person, "lrn": "136514090999"}):
            response = self.send(self.maria, "POST", "applicants", {**body, "user": self.other.uid})
            self.assertEqual(response.status, 403, response.body)
        both = [
            self.send(self.maria, "POST", "applicants", {**body, "user": self.other.uid}).body
            for body in (existing, {**person, "lrn": "136514090999"})
        ]
        self.assertEqual(without_id(both[0]), without_id(both[1]))

    def test_unknown_roles_in_a_token_give_no_access(self):
        """Roles of the database and reserved names are not roles of the app."""
        for number, role in enumerate(
            (NO_ROLE, "anonymous", "integreat_owner", "tenant_campus__registrar", "Registrar")
        ):
            user = sign_in.sign_up(self.program, "campus", role, f"unknown{number}")
            for path in ("students", f"students/{self.mine}", "screenings"):
                self.assertEqual(self.send(user, "GET", path).status, 403, role)
            self.assertEqual(self.send(user, "GET", "applicants").json()["items"], [])

    def applicant(self, caller, **fields) -> dict:
        return {
            "family_name": caller.uid[:20],
            "given_name": "B",
            "born": "2008-03-01",
            "email": "a@example.com",
            "mobile": "0917 123 4567",
            "address": {"city": "Marikina"},
            "program": self.program_id,
            **fields,
        }

    def test_concurrent_callers_are_not_confused(self):
        """All callers share few database connections; the identity of the previous caller must not remain."""
        callers = [sign_in.sign_up(self.program, "campus", "", f"concurrent{number}") for number in range(10)]
        own = {}
        for caller in callers:
            made = self.send(caller, "POST", "applicants", self.applicant(caller))
            self.assertEqual(made.status, 201, made.body)
            own[caller.uid] = made.json()["id"]
        uids = [caller.uid for caller in callers]

        def work(caller) -> list[str]:
            wrong = []
            for number in range(40):
                other = own[uids[(uids.index(caller.uid) + number) % len(uids)]]
                mine = other == own[caller.uid]
                listed = [item["id"] for item in self.send(caller, "GET", "applicants").json()["items"]]
                one = self.send(caller, "GET", f"applicants/{other}").status
                refused = self.send(
                    caller, "POST", "applicants", self.applicant(caller, user=self.maria.uid)
                ).status
                changed = self.send(caller, "PATCH", f"applicants/{other}", {"last_school": caller.uid}).status
                count = self.send(self.registrar, "GET", "students/aggregate").json()["items"]
                if (listed, one, changed) != ([own[caller.uid]], *((200, 200) if mine else (404, 404))):
                    wrong.append(f"{caller.uid} about {other}: {listed} {one} {changed}")
                if refused != 403 or count != [{"count": 11}]:
                    wrong.append(f"{caller.uid}: {refused} {count}")
            return wrong

        with concurrent.futures.ThreadPoolExecutor(len(callers)) as pool:
            wrong = [line for lines in pool.map(work, callers) for line in lines]
        self.assertEqual(wrong[:5], [])
        for caller in callers:
            school = self.send(self.registrar, "GET", f"applicants/{own[caller.uid]}").json().get("last_school")
            self.assertIn(school, (None, caller.uid), "changed by another caller")

    def test_a_list_with_one_forbidden_record_is_refused_as_a_whole(self):
        both = [
            self.applicant(self.maria, last_school="bulk"),
            self.applicant(self.other, user=self.other.uid),
        ]
        for bodies in (both, both[::-1], [*both, {}]):
            response = self.send(self.maria, "POST", "applicants", bodies)
            self.assertIn(response.status, (400, 403), response.body)
        found = self.send(self.registrar, "GET", "applicants?last_school=bulk").json()["items"]
        self.assertEqual(found, [])

    def test_an_idempotency_key_of_one_caller_does_not_replay_to_another(self):
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
        unauthenticated = self.send(sign_in.UNAUTHENTICATED, "POST", "applicants", body, Idempotency_Key=key)
        self.assertEqual(unauthenticated.status, 401, unauthenticated.body)

    def test_other_methods_and_headers_give_no_access(self):
        for method in ("HEAD", "GET"):
            real = self.send(self.maria, method, f"students/{self.theirs}")
            none = self.send(self.maria, method, f"students/{uuid.uuid4()}")
            self.assertEqual((real.status, none.status), (404, 404))
            names = ("ETag", "Last-Modified", "Content-Length", "Location")
            self.assertEqual([real.headers[name] for name in names], [none.headers[name] for name in names])
        for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
            path = f"students/{self.mine}"
            self.assertEqual(
                self.send(self.maria, "GET", path, **{name.replace("-", "_"): "DELETE"}).status, 200
            )
            self.assertEqual(self.send(self.maria, "GET", path).status, 200)
        for name in ("Integreat-Role", "Integreat-Subject", "X-Forwarded-User", "Role"):
            response = self.send(
                self.maria, "GET", f"students/{self.theirs}", **{name.replace("-", "_"): "registrar"}
            )
            self.assertEqual(response.status, 404)


if __name__ == "__main__":
    harness.main()
