# SPDX-License-Identifier: Apache-2.0
"""The base of scenario tests: users of one app send requests that must succeed or must be refused; both are counted."""

import json
import unittest

import harness
import sign_in

# The status of each problem type.
PROBLEM_STATUS = {
    "token-missing": 401,
    "role-missing": 403,
    "wrong-tenant": 403,
    "forbidden": 403,
    "not-found": 404,
    "invalid-request": 400,
    "method-not-allowed": 405,
    "wrong-state": 409,
    "incomplete": 409,
    "guard-failed": 409,
    "already-exists": 409,
    "referenced": 409,
    "version-mismatch": 412,
    "if-match-missing": 428,
}


class Scenario(unittest.TestCase):
    app = ""

    @classmethod
    def setUpClass(cls):
        cls.program = sign_in.start_program()
        cls.succeeded = cls.refused = 0

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()
        print(f"\n{cls.app}: {cls.succeeded} requests succeeded, {cls.refused} were refused")
        assert cls.refused >= cls.succeeded > 0, "a scenario has at least as many refusals as successes"

    @classmethod
    def new_user(cls, role: str = "", name: str = "") -> sign_in.Principal:
        return sign_in.sign_up(cls.program, cls.app, role, name or (role and f"{role}.ready"))

    def send(self, caller, method, path, body=None, etag=None) -> harness.Response:
        headers = {"If-Match": etag} if etag else {}
        if body is not None:
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        return self.program.call(
            method, f"/v1/apps/{self.app}{path}", token=caller.token, body=body, headers=headers
        )

    def may(self, caller, method, path, body=None, etag=None) -> dict:
        """Sends a request that must succeed. Returns the body of the response."""
        response = self.send(caller, method, path, body, etag)
        self.assertIn(
            response.status,
            (200, 201, 204),
            f"{caller.role or 'no role'} {method} {path}: {response.body}",
        )
        type(self).succeeded += 1
        return response.json() if response.body else {}

    def may_not(self, caller, problem: str, method, path, body=None, etag=None, at: str = "") -> None:
        """Sends a request that must be refused with a problem of this type; `at` is a field its errors point to."""
        response = self.send(caller, method, path, body, etag)
        context = f"{caller.role or 'no role'} {method} {path}: {response.status} {response.body}"
        self.assertEqual(response.status, PROBLEM_STATUS[problem], context)
        self.assertEqual(response.headers.get_content_type(), "application/problem+json", context)
        self.assertEqual(response.json()["type"].rpartition("/")[2], problem, context)
        if at:
            pointers = [error["pointer"] for error in response.json().get("errors", [])]
            self.assertIn(at, pointers, context)
        type(self).refused += 1

    def listed_ids(self, caller, path) -> set[str]:
        return {item["id"] for item in self.may(caller, "GET", path)["items"]}
