#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Walks the route table of the four apps and of the platform: each route without credentials, with a token of another
tenant, with a token of the wrong role, with a malformed body and with one that is too large."""

import json
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402

METHODS = ("get", "post", "put", "patch", "delete")
# Routes of the platform without authentication.
OPEN = {"/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/problems", "/problems/{type}"}
OPEN |= {"/try/{app}", "/try/files/{name}"}  # Only with `integreat dev`.


def fill_parameters(pattern: str) -> str:
    return re.sub(r"\{[^}]*\}", "x1", pattern)


class Routes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = harness.Program(settings="http: {unrouted_requests: 0}\n")
        cls.program.write_configuration()
        for manifest in cls.program.manifests.glob("*.yaml"):
            # The walk sends thousands of requests; the limits have tests of their own.
            text = re.sub(r"(?m)^((?:tenant_)?limit): .*$", rf"\1: {manifests.UNLIMITED}", manifest.read_text())
            manifest.write_text(text)
        cls.program.start()
        document = cls.program.call("GET", "/openapi.json").json()
        cls.routes = [
            (method.upper(), path)
            for path, item in document["paths"].items()
            for method in item
            if method in METHODS
        ]
        listed = cls.program.cli("routes", "--json", *cls.program.config_options)
        assert listed.returncode == 0, listed.stderr
        cls.app_routes = json.loads(listed.stdout)
        cls.public = {
            (route["method"], route["path"].replace("...}", "}"))
            for route in cls.app_routes
            if route["access"].startswith("anyone")
        }
        cls.streams = {
            ("GET", route["path"])
            for route in cls.app_routes
            if route["path"].endswith("/changes") and not route["upstream"]
        }
        cls.tokens = {app: cls.program.token(app) for app in ("campus", "evntgarde", "pillars", "teleo")}

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    def call(self, method: str, path: str, **options) -> harness.Response:
        options.setdefault("streaming", (method, path) in self.streams)
        return self.program.call(method, fill_parameters(path), **options)

    def expect_problem(self, response: harness.Response, status: int):
        self.assertEqual(response.status, status, response.body[:500])
        if response.body:
            self.assertEqual(response.headers.get_content_type(), "application/problem+json")
            problem = response.json()
            self.assertEqual(problem["status"], status)
            for member in ("type", "title", "detail", "request_id"):
                self.assertTrue(problem.get(member), f"{member} is missing: {problem}")

    def test_the_table_contains_the_platform_and_four_apps(self):
        served = {path.split("/")[3] for _, path in self.routes if path.startswith("/v1/apps/")}
        self.assertEqual(served, set(self.tokens))
        self.assertTrue(any(path.startswith("/v1/admin/") for _, path in self.routes))
        self.assertTrue(any(route["upstream"] for route in self.app_routes))

    def test_only_open_routes_respond_without_credentials(self):
        for method, path in self.routes:
            with self.subTest(f"{method} {path}"):
                response = self.call(method, path)
                if path in OPEN or (method, path) in self.public:
                    self.assertNotIn(response.status, (401, 403))
                else:
                    self.expect_problem(response, 401)
                    self.assertTrue(response.headers["WWW-Authenticate"])

    def test_another_tenants_token_is_forbidden_everywhere(self):
        for method, path in self.routes:
            if not path.startswith("/v1/apps/") or (method, path) in self.public:
                continue
            tenant = path.split("/")[3]
            for app, token in self.tokens.items():
                if app != tenant:
                    with self.subTest(f"{method} {path} with a token of {app}"):
                        response = self.call(method, path, token=token)
                        self.assertIn(response.status, (401, 403), response.body[:300])

    def test_users_of_apps_cannot_use_admin_routes(self):
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

    def test_roles_are_those_of_the_manifest(self):
        for route in self.app_routes:
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

    def test_a_forged_token_is_refused_everywhere(self):
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
            for invalid in forged:
                with self.subTest(f"{method} {path}", token=invalid[:20]):
                    self.assertEqual(self.call(method, path, token=invalid).status, 401)

    def test_an_unexpected_or_too_large_body_is_refused(self):
        operator = self.program.token("integreat-core", "admin")
        for method, path in self.routes:
            token = self.tokens.get(path.split("/")[3]) if path.startswith("/v1/apps/") else operator
            with self.subTest(f"{method} {path}"):
                response = self.call(
                    method, path, token=token, headers={"Content-Length": str(2 * 1024 * 1024 * 1024)}
                )
                self.assertIn(response.status, (400, 403, 413), response.body[:300])

    def test_malformed_json_is_refused_by_the_platform(self):
        operator = self.program.token("integreat-core", "admin")
        for method, path in self.routes:
            if path.startswith("/v1/admin/") and method in ("POST", "PUT", "PATCH"):
                for malformed in (b'{"name": ', b"[]", b"\xff", b'{"name": "a", "name": "b"}', b"[" * 5000):
                    with self.subTest(f"{method} {path}", body=malformed[:20]):
                        response = self.call(
                            method,
                            path,
                            token=operator,
                            body=malformed,
                            headers={"Content-Type": "application/json"},
                        )
                        self.assertIn(response.status, (400, 404, 422), response.body[:300])

    def test_unknown_paths_and_methods_are_reported(self):
        self.expect_problem(self.program.call("GET", "/nowhere"), 404)
        self.expect_problem(self.program.call("GET", "/v1/apps/unknown/me"), 404)
        response = self.program.call("DELETE", "/v1/apps/campus/me")
        self.expect_problem(response, 405)
        self.assertIn("GET", response.headers["Allow"])

    def test_each_response_has_a_request_id(self):
        response = self.program.call("GET", "/healthz")
        self.assertRegex(response.headers["Integreat-Request-Id"], r"^req_[0-9a-zA-Z]{26}$")


if __name__ == "__main__":
    harness.main()
