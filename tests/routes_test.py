#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Walks the route table of the four apps and of the platform itself: each route without credentials, with
another tenant's token, with a token of the wrong role, with a broken body and with one too large."""

import json
import re
import unittest

import apps
import harness

METHODS = ("get", "post", "put", "patch", "delete")
# Of the platform's own: what anybody may read.
OPEN = {"/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/problems", "/problems/{type}"}
OPEN |= {"/try/{app}", "/try/files/{name}"}  # Of `integreat dev` only.


def filled(pattern: str) -> str:
    return re.sub(r"\{[^}]*\}", "x1", pattern)


class Routes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = harness.Program()
        cls.program.write_configuration()
        for manifest in cls.program.manifests.glob("*.yaml"):
            # The walk sends thousands of requests; limits have tests of their own.
            text = re.sub(r"(?m)^((?:tenant_)?limit): .*$", rf"\1: {apps.HIGH}", manifest.read_text())
            manifest.write_text(text)
        cls.program.start()
        document = cls.program.call("GET", "/openapi.json").json()
        cls.routes = [
            (method.upper(), path)
            for path, item in document["paths"].items()
            for method in item
            if method in METHODS
        ]
        listed = cls.program.cli("routes", "--json", *cls.program.places)
        assert listed.returncode == 0, listed.stderr
        cls.of_apps = json.loads(listed.stdout)
        cls.public = {
            (route["method"], route["path"].replace("...}", "}"))
            for route in cls.of_apps
            if route["access"].startswith("anyone")
        }
        cls.streams = {
            ("GET", route["path"])
            for route in cls.of_apps
            if route["path"].endswith("/changes") and not route["upstream"]
        }
        cls.tokens = {app: cls.program.token(app) for app in ("campus", "evntgarde", "pillars", "teleo")}

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    def call(self, method: str, path: str, **more) -> harness.Answer:
        more.setdefault("endless", (method, path) in self.streams)
        return self.program.call(method, filled(path), **more)

    def expect_problem(self, answer: harness.Answer, status: int):
        self.assertEqual(answer.status, status, answer.body[:500])
        if answer.body:
            self.assertEqual(answer.headers.get_content_type(), "application/problem+json")
            problem = answer.json()
            self.assertEqual(problem["status"], status)
            for member in ("type", "title", "detail", "request_id"):
                self.assertTrue(problem.get(member), f"{member} is missing: {problem}")

    def test_the_table_has_the_platform_and_four_apps(self):
        served = {path.split("/")[3] for _, path in self.routes if path.startswith("/v1/apps/")}
        self.assertEqual(served, set(self.tokens))
        self.assertTrue(any(path.startswith("/v1/admin/") for _, path in self.routes))
        self.assertTrue(any(route["upstream"] for route in self.of_apps))

    def test_without_credentials_only_open_routes_answer(self):
        for method, path in self.routes:
            with self.subTest(f"{method} {path}"):
                answer = self.call(method, path)
                if path in OPEN or (method, path) in self.public:
                    self.assertNotIn(answer.status, (401, 403))
                else:
                    self.expect_problem(answer, 401)
                    self.assertTrue(answer.headers["WWW-Authenticate"])

    def test_another_tenants_token_is_forbidden_everywhere(self):
        for method, path in self.routes:
            if not path.startswith("/v1/apps/") or (method, path) in self.public:
                continue
            own = path.split("/")[3]
            for app, token in self.tokens.items():
                if app != own:
                    with self.subTest(f"{method} {path} with a token of {app}"):
                        answer = self.call(method, path, token=token)
                        self.assertIn(answer.status, (401, 403), answer.body[:300])

    def test_no_user_of_an_app_operates_the_platform(self):
        for method, path in self.routes:
            if path.startswith("/v1/admin/"):
                for app, token in self.tokens.items():
                    with self.subTest(f"{method} {path} with a token of {app}"):
                        self.assertIn(
                            self.call(
                                method, path, token=token, body={} if method == "POST" else None
                            ).status,
                            (401, 403),
                        )

    def test_roles_are_what_the_manifest_says(self):
        for route in self.of_apps:
            app, access = route["app"], route["access"].split(", or key")[0]
            if not route["upstream"] or access.startswith(("anyone", "signed in")):
                continue
            allowed = set(access.split(", "))
            for user in self.program.ready["tenants"][app]["users"]:
                with self.subTest(f"{route['method']} {route['path']} as {user['role']}"):
                    status = self.call(
                        route["method"], route["path"], token=self.program.token(app, user["role"])
                    ).status
                    if user["role"] in allowed:
                        self.assertNotIn(status, (401, 403))
                    else:
                        self.assertEqual(status, 403)

    def test_a_token_that_was_tampered_with_is_refused_everywhere(self):
        token = self.tokens["campus"]
        head, claims, signature = token.split(".")
        other = self.tokens["teleo"].split(".")
        forged = [
            f"{head}.{claims}.",
            f"{head}.{other[1]}.{signature}",
            f"{head}.{claims}.{other[2]}",
            "eyJhbGciOiJub25lIn0." + claims + ".",
            token + "A",
            "x",
            token.replace(".", "..", 1),
        ]
        for method, path in self.routes:
            if path in OPEN:
                continue
            for wrong in forged:
                with self.subTest(f"{method} {path}", token=wrong[:20]):
                    self.assertEqual(self.call(method, path, token=wrong).status, 401)

    def test_a_body_where_none_belongs_or_too_large_is_refused(self):
        operator = self.program.token("integreat-core", "admin")
        for method, path in self.routes:
            token = self.tokens.get(path.split("/")[3]) if path.startswith("/v1/apps/") else operator
            with self.subTest(f"{method} {path}"):
                answer = self.call(
                    method, path, token=token, headers={"Content-Length": str(2 * 1024 * 1024 * 1024)}
                )
                self.assertIn(answer.status, (400, 403, 413), answer.body[:300])

    def test_malformed_json_is_a_400_of_the_platform(self):
        operator = self.program.token("integreat-core", "admin")
        for method, path in self.routes:
            if path.startswith("/v1/admin/") and method in ("POST", "PUT", "PATCH"):
                for wrong in (b'{"name": ', b"[]", b"\xff", b'{"name": "a", "name": "b"}', b"[" * 5000):
                    with self.subTest(f"{method} {path}", body=wrong[:20]):
                        answer = self.call(
                            method,
                            path,
                            token=operator,
                            body=wrong,
                            headers={"Content-Type": "application/json"},
                        )
                        self.assertIn(answer.status, (400, 404, 422), answer.body[:300])

    def test_unknown_paths_and_methods_say_so(self):
        self.expect_problem(self.program.call("GET", "/nowhere"), 404)
        self.expect_problem(self.program.call("GET", "/v1/apps/nobody/me"), 404)
        answer = self.program.call("DELETE", "/v1/apps/campus/me")
        self.expect_problem(answer, 405)
        self.assertIn("GET", answer.headers["Allow"])

    def test_each_answer_is_numbered(self):
        answer = self.program.call("GET", "/healthz")
        self.assertRegex(answer.headers["Integreat-Request-Id"], r"^req_[0-9a-zA-Z]{26}$")


if __name__ == "__main__":
    harness.main()
