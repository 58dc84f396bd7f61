# SPDX-License-Identifier: Apache-2.0
"""What a scenario test is made of: people of one app who do things, and things they are refused, each counted."""

import json
import unittest

import harness
import people

# The status that each type of refusal has.
REFUSALS = {
    "token-missing": 401,
    "role-missing": 403,
    "foreign-tenant": 403,
    "forbidden": 403,
    "not-found": 404,
    "invalid-request": 400,
    "method-not-allowed": 405,
    "wrong-state": 409,
    "incomplete": 409,
    "guard-failed": 409,
    "already-exists": 409,
    "referenced": 409,
    "changed-meanwhile": 412,
    "if-match-missing": 428,
}


class Scenario(unittest.TestCase):
    app = ""

    @classmethod
    def setUpClass(cls):
        cls.program = people.start()
        cls.done = cls.refused = 0

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()
        print(f"\n{cls.app}: {cls.done} things done, {cls.refused} refused")
        assert cls.refused >= cls.done > 0, "at least as many refusals as successes belong to a scenario"

    @classmethod
    def somebody(cls, role: str = "", name: str = "") -> people.Person:
        return people.sign_up(cls.program, cls.app, role, name or (role and f"{role}.ready"))

    def send(self, who, method, path, body=None, etag=None) -> harness.Answer:
        headers = {"If-Match": etag} if etag else {}
        if body is not None:
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        return self.program.call(
            method, f"/v1/apps/{self.app}{path}", token=who.token, body=body, headers=headers
        )

    def may(self, who, method, path, body=None, etag=None) -> dict:
        answer = self.send(who, method, path, body, etag)
        self.assertIn(
            answer.status, (200, 201, 204), f"{who.role or 'nobody'} {method} {path}: {answer.body}"
        )
        type(self).done += 1
        return answer.json() if answer.body else {}

    def may_not(self, who, problem: str, method, path, body=None, etag=None, at: str = "") -> None:
        """`at`: a field that the refusal points to."""
        answer = self.send(who, method, path, body, etag)
        said = f"{who.role or 'nobody'} {method} {path}: {answer.status} {answer.body}"
        self.assertEqual(answer.status, REFUSALS[problem], said)
        self.assertEqual(answer.headers.get_content_type(), "application/problem+json", said)
        self.assertEqual(answer.json()["type"], f"/problems/{problem}", said)
        if at:
            pointers = [error["pointer"] for error in answer.json().get("errors", [])]
            self.assertIn(at, pointers, said)
        type(self).refused += 1

    def seen(self, who, path) -> set[str]:
        """The ids of a list."""
        return {item["id"] for item in self.may(who, "GET", path)["items"]}
