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

    def operation(self, method: str, path: str) -> dict:
        return self.answer.json()["paths"]["/v1/apps/campus" + path][method]

    def test_says_what_is_no_json(self):
        feed = self.operation("get", "/students/changes")["responses"]["200"]["content"]
        self.assertEqual(list(feed), ["text/event-stream"])
        self.assertIn("\n\n", feed["text/event-stream"]["schema"]["examples"][0])
        table = self.operation("get", "/students/export.csv")["responses"]["200"]
        self.assertEqual(list(table["content"]), ["text/csv"])
        self.assertIn("Content-Disposition", table["headers"])
        body = self.operation("post", "/students/import")["requestBody"]
        self.assertEqual((list(body["content"]), body["required"]), (["text/csv"], True))
        heading, row, _ = body["content"]["text/csv"]["schema"]["examples"][0].split("\r\n")
        self.assertIn("number", heading.split(","))
        self.assertGreater(len(row), 20)
        patch = self.operation("patch", "/students/{id}")["requestBody"]
        self.assertEqual(list(patch["content"]), ["application/merge-patch+json", "application/json"])

    def test_says_which_header_fields_go_and_come(self):
        get = self.operation("get", "/students/{id}")
        self.assertEqual(
            {"ETag", "RateLimit", "RateLimit-Policy", "Integreat-Request-Id"},
            set(get["responses"]["200"]["headers"]),
        )
        self.assertIn("304", get["responses"])
        create = self.operation("post", "/students")
        self.assertLessEqual({"Location", "ETag", "Idempotent-Replayed"}, set(create["responses"]["201"]["headers"]))
        self.assertEqual(
            {"idempotency-key-in-use", "already-exists"},
            set(create["responses"]["409"]["content"]["application/problem+json"]["examples"]),
        )
        self.assertLessEqual({"413", "415", "422"}, set(create["responses"]))
        for method, path, name in (
            ("patch", "/students/{id}", "If-Match"),
            ("delete", "/students/{id}", "If-Match"),
            ("post", "/applicants/{id}/screen", "If-Match"),
            ("post", "/students/import", "Idempotency-Key"),
            ("get", "/students/changes", "Last-Event-ID"),
            ("get", "/students/{id}", "If-None-Match"),
        ):
            sent = {one["name"] for one in self.operation(method, path)["parameters"] if one["in"] == "header"}
            self.assertIn(name, sent, path)
        unavailable = create["responses"]["503"]["headers"]
        self.assertIn("Retry-After", unavailable)

    def test_pages_and_filters_are_explained(self):
        parameters = {one["name"]: one for one in self.operation("get", "/students")["parameters"]}
        self.assertEqual(parameters["limit"]["schema"], {"type": "integer", "minimum": 1, "maximum": 200, "default": 20})
        self.assertLessEqual({"next", "sort", "fields", "expand", "q"}, set(parameters))
        self.assertEqual(parameters["number"]["schema"]["examples"][0][:3], "eq.")
        identity = self.operation("get", "/students/{id}")["parameters"][0]
        self.assertEqual((identity["in"], identity["schema"]["format"]), ("path", "uuid"))

    def test_no_example_of_a_record_breaks_its_own_schema(self):
        """Far from a validator: each member that an example has is one that the schema knows, and of its type."""
        kinds = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
        looked = 0
        for name, schema in self.answer.json()["components"]["schemas"].items():
            for example in schema.get("examples", []):
                for member, value in example.items():
                    said = schema["properties"][member].get("type")
                    if isinstance(said, str) and said in kinds:
                        self.assertIsInstance(value, kinds[said], f"{name}.{member}")
                        looked += 1
        self.assertGreater(looked, 100)

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
