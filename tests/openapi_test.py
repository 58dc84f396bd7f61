#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""/openapi.json passes a public validator (tests/openapi) and names the routes that the table has."""

import json
import unittest

import harness
import openapi_validator


class OpenApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = harness.Program().start()
        cls.answer = cls.program.call("GET", "/openapi.json")

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    def test_is_valid(self):
        self.assertEqual(self.answer.status, 200, self.answer.body[:500])
        self.assertEqual(self.answer.json()["openapi"][:3], "3.1")
        self.assertEqual(
            openapi_validator.complaints(self.program.data / "openapi.json", self.answer.body), ""
        )

    def test_names_every_route_of_every_app(self):
        listed = json.loads(self.program.cli("routes", "--json", *self.program.places).stdout)
        paths = self.answer.json()["paths"]
        for route in listed:
            with self.subTest(route["name"]):
                path = route["path"].replace("...}", "}")
                self.assertIn(path, paths)
                self.assertIn(route["method"].lower(), paths[path])

    def test_the_manual_names_every_route_of_the_platform(self):
        manual = (harness.ROOT / "docs" / "api.md").read_text()
        own = [path for path in self.answer.json()["paths"] if not path.startswith("/v1/apps/")]
        self.assertGreater(len(own), 8)
        for path in own:
            for method in self.answer.json()["paths"][path]:
                self.assertIn(f"`{method.upper()} {path}`", manual)

    def test_operation_ids_are_unique(self):
        ids = [
            operation["operationId"]
            for path in self.answer.json()["paths"].values()
            for method, operation in path.items()
            if method in ("get", "post", "put", "patch", "delete")
        ]
        self.assertEqual(len(ids), len(set(ids)))

    def test_docs_page_is_for_people(self):
        answer = self.program.call("GET", "/docs")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers.get_content_type(), "text/html")
        self.assertIn(b"/v1/apps/campus/me", answer.body)


if __name__ == "__main__":
    harness.main()
