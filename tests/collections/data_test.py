#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The collections of an app over HTTP, with tokens of each role: life cycle, access, lists, history, change feed,
idempotency keys and API keys."""

import http.client
import json
import sys
import unittest
import uuid
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402


class ChangeFeed:
    """A client of the change feed of a collection."""

    def __init__(self, program, path: str, token: str, after: str) -> None:
        url = urlsplit(program.gateway)
        self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
        headers = {"Authorization": f"Bearer {token}"} | ({"Last-Event-ID": after} if after else {})
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        assert self.response.headers.get_content_type() == "text/event-stream"

    def next(self) -> dict:
        """Returns the next event. Fails if none arrives in time."""
        event: dict = {}
        while True:
            line = self.response.readline().decode().rstrip("\n")
            name, _, value = line.partition(": ")
            if name in ("id", "event", "data"):
                event[name] = json.loads(value) if name == "data" else value
            elif line == "" and "event" in event:
                return event

    def close(self) -> None:
        self.response.close()
        self.connection.close()


class Data(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        apps = harness.make_folder()
        (apps / "clinic.yaml").write_text(manifests.CLINIC)
        cls.program = harness.Program(apps=apps).start()
        response = cls.send("POST", "/doctors", "admin", {"name": "Dr. Reyes"})
        assert response.status == 201, response.body
        cls.doctor = response.json()["id"]

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

    def create_visit(self, role="patient", **fields):
        response = self.send("POST", "/visits", role, {"doctor": self.doctor, "day": "2026-12-01", **fields})
        self.assertEqual(response.status, 201, response.body)
        return response.json()

    def follow(self, role: str, after: str = "") -> ChangeFeed:
        token = self.program.token("clinic", role)
        return ChangeFeed(self.program, "/v1/apps/clinic/visits/changes", token, after)

    def test_the_change_feed_sends_readable_changes_and_resumes_after_an_event(self):
        nurse, patient = self.follow("nurse"), self.follow("patient")
        theirs, mine = self.create_visit(role="nurse"), self.create_visit(phone="0917 123 4567")
        self.assertEqual([nurse.next()["data"]["id"] for _ in range(2)], [theirs["id"], mine["id"]])
        event = patient.next()
        self.assertEqual((event["event"], event["data"]), ("created", mine))
        created_id = event["id"]
        patient.close()
        self.send("POST", f"/visits/{mine['id']}/agree", "nurse")
        for client in (nurse, self.follow("patient", after=created_id)):
            event = client.next()
            self.assertEqual((event["event"], event["data"]["state"]), ("agree", "agreed"))
            client.close()
        self.assertEqual(self.send("GET", "/visits/changes").status, 401)

    def test_a_record_passes_from_its_creation_to_its_last_state(self):
        visit = self.create_visit(notes="A cough", tags=["first time"])
        self.assertEqual(visit["state"], "requested")
        path = f"/visits/{visit['id']}"
        got = self.send("GET", path, "patient")
        self.assertEqual((got.status, got.json()), (200, visit))
        self.assertEqual(got.headers["ETag"], '"1"')
        self.assertEqual(self.send("GET", path, "patient", If_None_Match='"1"').status, 304)
        incomplete = self.send("POST", path + "/agree", "nurse")
        self.assertEqual(
            (incomplete.status, incomplete.json()["type"].rpartition("/")[2]), (409, "incomplete"), incomplete.body
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
        self.assertEqual((again.status, again.json()["type"].rpartition("/")[2]), (409, "wrong-state"))

    def test_access_rules_determine_visible_records(self):
        mine, theirs = self.create_visit(), self.create_visit(role="nurse")
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
            (referred.status, referred.json()["type"].rpartition("/")[2]), (409, "referenced"), referred.body
        )

    def test_a_refusal_and_why_name_the_reason(self):
        theirs = self.create_visit(role="nurse")
        refused = self.send("PATCH", f"/visits/{theirs['id']}", "nurse", {"state": "over"})
        self.assertEqual(refused.status, 400)
        self.assertEqual(
            refused.json()["errors"], [{"pointer": "#/state", "detail": "can be changed only by a transition"}]
        )
        why = self.program.cli("why", refused.json()["request_id"], "--data", str(self.program.data_folder))
        self.assertIn("can be changed only by a transition", why.stdout, why.stderr)

    def test_an_idempotency_key_creates_one_record(self):
        key = str(uuid.uuid4())
        body = {"doctor": self.doctor, "day": "2026-12-02"}
        first = self.send("POST", "/visits", "patient", body, Idempotency_Key=key)
        second = self.send("POST", "/visits", "patient", body, Idempotency_Key=key)
        self.assertEqual((first.status, second.status), (201, 201), first.body)
        self.assertEqual(first.body, second.body)
        self.assertEqual(second.headers["Idempotent-Replayed"], "true")
        found = self.send("GET", f"/visits/{first.json()['id']}", "patient")
        self.assertEqual(found.status, 200)

    def test_an_api_key_acts_in_the_role_of_its_scope(self):
        def create_key(*scopes):
            scopes = [part for scope in scopes for part in ("--scope", scope)]
            created = self.program.cli(
                *("key", "create", "--app", "clinic", "--name", "front desk", "--data"),
                *(str(self.program.data_folder), *scopes),
            )
            self.assertEqual(created.returncode, 0, created.stderr)
            return next(word for word in created.stdout.split() if word.startswith("itg_"))

        def send(method, path, token, body=None):
            return self.program.call(method, "/v1/apps/clinic" + path, token=token, body=body)

        nurse, reader = create_key("role:nurse"), create_key("portal.read")
        visit = send("POST", "/visits", nurse, {"doctor": self.doctor, "day": "2026-12-03"})
        self.assertEqual(visit.status, 201, visit.body)
        self.assertTrue(visit.json()["created_by"].startswith("key:"), visit.body)
        self.assertEqual(send("POST", "/doctors", nurse, {"name": "Dr. No"}).status, 403)
        refused = send("GET", "/visits", reader)
        self.assertEqual((refused.status, refused.json()["type"].rpartition("/")[2]), (403, "scope-missing"))

    def test_only_admins_read_the_history(self):
        visit = self.create_visit()
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

    def test_lists_have_pages_filters_and_expansions(self):
        many = [
            {"doctor": self.doctor, "day": f"2027-01-{day:02}", "notes": f"note {day}"}
            for day in range(1, 26)
        ]
        self.assertEqual(self.send("POST", "/visits", "nurse", many).status, 201)
        days, after = [], ""
        while True:
            page = self.send("GET", f"/visits?day=ge.2027-01-01&sort=day&limit=10{after}", "nurse").json()
            days += [item["day"] for item in page["items"]]
            if not page["next"]:
                break
            after = "&next=" + page["next"]
        self.assertEqual(days, [f"2027-01-{day:02}" for day in range(1, 26)])
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
