#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A manifest with collections is a working backend: the way of a record through the whole program, over HTTP with
real tokens of each role."""

import http.client
import json
import unittest
import uuid
from urllib.parse import urlsplit

import harness
import openapi_validator

MANIFEST = """app: clinic
title: Clinic
project: clinic-of-the-tests
roles: [patient, nurse, admin]
limit: { requests: 10000000, window: 1s, burst: 1000000 }
tenant_limit: { requests: 10000000, window: 1s, burst: 1000000 }
collections:
  doctors:
    title: Doctor
    summary: Who may be visited.
    fields:
      name: {type: text, required: true}
      fee: {type: money, default: 50000}
    access:
      read: [{public: true}]
      create: [{roles: [admin]}]
      delete: [{roles: [admin]}]
  visits:
    title: Visit
    summary: Of a patient to a doctor.
    fields:
      patient: {type: user, default: caller, indexed: true}
      doctor: {type: reference, to: doctors, required: true}
      day: {type: date, required: true}
      phone: {type: phone, personal: true}
      temperature: {type: decimal, digits: 4, scale: 1}
      notes: {type: text, length_max: 500}
      tags: {type: list, of: text}
    subject: patient
    search: [notes]
    sort: [-created_at]
    states: {initial: asked, names: [asked, agreed]}
    transitions:
      agree: {from: [asked], to: agreed, allow: [{roles: [nurse]}], requires: [phone]}
    access:
      read: [{roles: [nurse, admin]}, {roles: [patient], owner: created_by}]
      create: [{roles: [nurse]}, {roles: [patient], fields: [doctor, day, phone, notes, tags]}]
      update: [{roles: [nurse]}]
"""


class Listening:
    """One who follows the changes of a collection."""

    def __init__(self, program, path: str, token: str, after: str) -> None:
        where = urlsplit(program.gateway)
        self.connection = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
        headers = {"Authorization": f"Bearer {token}"} | ({"Last-Event-ID": after} if after else {})
        self.connection.request("GET", path, headers=headers)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        assert self.answer.headers.get_content_type() == "text/event-stream"

    def next(self) -> dict:
        """The next event; fails when none comes in time."""
        event: dict = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            name, _, value = line.partition(": ")
            if name in ("id", "event", "data"):
                event[name] = json.loads(value) if name == "data" else value
            elif line == "" and "event" in event:
                return event

    def end(self) -> None:
        self.answer.close()
        self.connection.close()


class Data(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        apps = harness.make_folder()
        (apps / "clinic.yaml").write_text(MANIFEST)
        cls.program = harness.Program(apps=apps).start()
        answer = cls.send("POST", "/doctors", "admin", {"name": "Dr. Reyes"})
        assert answer.status == 201, answer.body
        cls.doctor = answer.json()["id"]

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    @classmethod
    def send(cls, method, path, role="", body=None, **headers):
        token = cls.program.token("clinic", role) if role else ""
        if isinstance(body, list):
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls.program.call(method, "/v1/apps/clinic" + path, token=token, body=body, headers=headers)

    def visit(self, role="patient", **more):
        answer = self.send("POST", "/visits", role, {"doctor": self.doctor, "day": "2026-12-01", **more})
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json()

    def follow(self, role: str, after: str = "") -> Listening:
        token = self.program.token("clinic", role)
        return Listening(self.program, "/v1/apps/clinic/visits/changes", token, after)

    def test_who_listens_is_told_what_they_may_read_and_goes_on_where_they_were(self):
        nurse, patient = self.follow("nurse"), self.follow("patient")
        theirs, mine = self.visit(role="nurse"), self.visit(phone="0917 123 4567")
        self.assertEqual([nurse.next()["data"]["id"] for _ in range(2)], [theirs["id"], mine["id"]])
        told = patient.next()
        self.assertEqual((told["event"], told["data"]), ("created", mine))
        patient.end()
        self.send("POST", f"/visits/{mine['id']}/agree", "nurse")
        for client in (nurse, self.follow("patient", after=told["id"])):
            told = client.next()
            self.assertEqual((told["event"], told["data"]["state"]), ("agree", "agreed"))
            client.end()
        self.assertEqual(self.send("GET", "/visits/changes").status, 401)

    def test_a_record_lives_from_its_creation_to_its_last_state(self):
        visit = self.visit(notes="A cough", tags=["first time"])
        self.assertEqual(visit["state"], "asked")
        path = f"/visits/{visit['id']}"
        got = self.send("GET", path, "patient")
        self.assertEqual((got.status, got.json()), (200, visit))
        self.assertEqual(got.headers["ETag"], '"1"')
        self.assertEqual(self.send("GET", path, "patient", If_None_Match='"1"').status, 304)
        unready = self.send("POST", path + "/agree", "nurse")
        self.assertEqual(
            (unready.status, unready.json()["type"]), (409, "/problems/incomplete"), unready.body
        )
        patched = self.send(
            "PATCH", path, "nurse", {"phone": "0917 123 4567", "temperature": 36.6}, If_Match='"1"'
        )
        self.assertEqual((patched.status, patched.json()["phone"]), (200, "+639171234567"), patched.body)
        self.assertEqual(patched.json()["temperature"], "36.6")
        self.assertEqual(self.send("PATCH", path, "nurse", {"notes": None}, If_Match='"1"').status, 412)
        self.assertEqual(self.send("POST", path + "/agree", "patient").status, 403)
        agreed = self.send("POST", path + "/agree", "nurse")
        self.assertEqual((agreed.status, agreed.json()["state"]), (200, "agreed"), agreed.body)
        again = self.send("POST", path + "/agree", "nurse")
        self.assertEqual((again.status, again.json()["type"]), (409, "/problems/wrong-state"))

    def test_the_rules_decide_who_sees_what(self):
        mine, theirs = self.visit(), self.visit(role="nurse")
        self.assertEqual(self.send("GET", f"/visits/{theirs['id']}", "patient").status, 404)
        listed = {item["id"] for item in self.send("GET", "/visits?limit=200", "patient").json()["items"]}
        self.assertIn(mine["id"], listed)
        self.assertNotIn(theirs["id"], listed)
        self.assertEqual(self.send("GET", "/visits").status, 401)
        self.assertEqual(
            self.send("GET", "/doctors").json()["items"][0]["fee"], {"amount": 50000, "currency": "PHP"}
        )
        self.assertEqual(self.send("POST", "/doctors", "nurse", {"name": "Dr. No"}).status, 403)
        referred = self.send("DELETE", f"/doctors/{self.doctor}", "admin")
        self.assertEqual(
            (referred.status, referred.json()["type"]), (409, "/problems/referenced"), referred.body
        )

    def test_a_refusal_explains_itself(self):
        theirs = self.visit(role="nurse")
        refused = self.send("PATCH", f"/visits/{theirs['id']}", "nurse", {"state": "over"})
        self.assertEqual(refused.status, 400)
        self.assertEqual(
            refused.json()["errors"], [{"pointer": "#/state", "detail": "changes by transitions only"}]
        )
        why = self.program.cli("why", refused.json()["request_id"], "--data", str(self.program.data_folder))
        self.assertIn("changes by transitions only", why.stdout, why.stderr)

    def test_a_key_makes_a_record_once(self):
        key = str(uuid.uuid4())
        body = {"doctor": self.doctor, "day": "2026-12-02"}
        first = self.send("POST", "/visits", "patient", body, Idempotency_Key=key)
        second = self.send("POST", "/visits", "patient", body, Idempotency_Key=key)
        self.assertEqual((first.status, second.status), (201, 201), first.body)
        self.assertEqual(first.body, second.body)
        self.assertEqual(second.headers["Idempotent-Replayed"], "true")
        found = self.send("GET", f"/visits/{first.json()['id']}", "patient")
        self.assertEqual(found.status, 200)

    def test_its_description_is_valid_and_names_every_route(self):
        answer = self.send("GET", "/openapi.json")
        self.assertEqual(answer.status, 200, answer.body[:500])
        self.assertEqual(openapi_validator.complaints(self.program.data / "clinic.json", answer.body), "")
        document = answer.json()
        self.assertEqual({path.split("/")[3] for path in document["paths"]}, {"clinic"})
        operation = document["paths"]["/v1/apps/clinic/visits/{id}/agree"]["post"]
        self.assertIn(
            "incomplete", operation["responses"]["409"]["content"]["application/problem+json"]["examples"]
        )
        new = document["components"]["schemas"]["ClinicVisit.New"]
        self.assertEqual(set(new["required"]), {"doctor", "day"})
        listed = json.loads(self.program.cli("routes", "--json", *self.program.places).stdout)
        for route in listed:
            self.assertIn(route["path"], document["paths"])
        self.assertIn("clinic.visits.agree", {route["name"] for route in listed})

    def test_a_key_acts_as_the_role_of_its_scope(self):
        def key(*scopes):
            scopes = [part for scope in scopes for part in ("--scope", scope)]
            made = self.program.cli(
                *("key", "create", "--app", "clinic", "--name", "front desk", "--data"),
                *(str(self.program.data_folder), *scopes),
            )
            self.assertEqual(made.returncode, 0, made.stderr)
            return next(word for word in made.stdout.split() if word.startswith("itg_"))

        def ask(method, path, token, body=None):
            return self.program.call(method, "/v1/apps/clinic" + path, token=token, body=body)

        nurse, reader = key("role:nurse"), key("portal.read")
        visit = ask("POST", "/visits", nurse, {"doctor": self.doctor, "day": "2026-12-03"})
        self.assertEqual(visit.status, 201, visit.body)
        self.assertTrue(visit.json()["created_by"].startswith("key:"), visit.body)
        self.assertEqual(ask("POST", "/doctors", nurse, {"name": "Dr. No"}).status, 403)
        refused = ask("GET", "/visits", reader)
        self.assertEqual((refused.status, refused.json()["type"]), (403, "/problems/scope-missing"))

    def test_the_history_is_for_admins(self):
        visit = self.visit()
        path = f"/visits/{visit['id']}"
        self.send("PATCH", path, "nurse", {"notes": "Better"})
        history = self.send("GET", path + "/history", "admin")
        self.assertEqual(history.status, 200, history.body)
        actions = [item["action"] for item in history.json()["items"]]
        self.assertEqual(actions, ["update", "create"], history.body)
        self.assertEqual(self.send("GET", path + "/history", "nurse").status, 403)
        first = self.send("GET", path + "/history?limit=1", "admin").json()
        rest = self.send("GET", path + f"/history?limit=1&next={first['next']}", "admin").json()
        self.assertEqual((rest["items"], rest["next"]), (history.json()["items"][1:], None))

    def test_lists_page_filter_and_expand(self):
        many = [
            {"doctor": self.doctor, "day": f"2027-01-{day:02}", "notes": f"note {day}"}
            for day in range(1, 26)
        ]
        self.assertEqual(self.send("POST", "/visits", "nurse", many).status, 201)
        seen, after = [], ""
        while True:
            page = self.send("GET", f"/visits?day=ge.2027-01-01&sort=day&limit=10{after}", "nurse").json()
            seen += [item["day"] for item in page["items"]]
            if not page["next"]:
                break
            after = "&next=" + page["next"]
        self.assertEqual(seen, [f"2027-01-{day:02}" for day in range(1, 26)])
        one = self.send("GET", "/visits?day=2027-01-07&expand=doctor&fields=day,doctor", "nurse").json()[
            "items"
        ]
        self.assertEqual([item["doctor"]["name"] for item in one], ["Dr. Reyes"])
        sums = self.send("GET", "/visits/aggregate?select=count&day=ge.2027-01-01", "nurse").json()
        self.assertEqual(sums, {"items": [{"count": 25}]})
        self.assertEqual(len(self.send("GET", "/visits?q=note&day=2027-01-07", "nurse").json()["items"]), 1)
        self.assertEqual(self.send("GET", "/visits?nay=1", "nurse").status, 400)


if __name__ == "__main__":
    harness.main()
