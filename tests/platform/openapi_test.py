#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""/openapi.json, of all apps and of one app, passes a public validator (tests/openapi) and contains every route of the
route table."""

import json
import shutil
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402
import openapi_validator  # noqa: E402


class OpenApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        apps = harness.make_folder()
        cls.addClassCleanup(shutil.rmtree, apps)
        for manifest in (harness.ROOT / "apps").glob("*.yaml"):
            shutil.copy(manifest, apps)
        (apps / "clinic.yaml").write_text(manifests.CLINIC)
        cls.program = harness.Program(apps=apps).start()
        cls.response = cls.program.call("GET", "/openapi.json")

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    def test_is_valid(self):
        self.assertEqual(self.response.status, 200, self.response.body[:500])
        self.assertEqual(self.response.json()["openapi"][:3], "3.1")
        self.assertEqual(
            openapi_validator.validation_errors(self.program.data / "openapi.json", self.response.body), ""
        )

    def test_contains_every_route_of_every_app(self):
        listed = json.loads(self.program.cli("routes", "--json", *self.program.config_options).stdout)
        paths = self.response.json()["paths"]
        for route in listed:
            with self.subTest(route["name"]):
                path = route["path"].replace("...}", "}")
                self.assertIn(path, paths)
                self.assertIn(route["method"].lower(), paths[path])

    def test_the_document_of_one_app_is_valid_and_contains_its_routes(self):
        response = self.program.call("GET", "/v1/apps/clinic/openapi.json")
        self.assertEqual(response.status, 200, response.body[:500])
        self.assertEqual(
            openapi_validator.validation_errors(self.program.data / "clinic.json", response.body), ""
        )
        document = response.json()
        self.assertEqual({path.split("/")[3] for path in document["paths"]}, {"clinic"})
        operation = document["paths"]["/v1/apps/clinic/visits/{id}/agree"]["post"]
        self.assertIn(
            "incomplete", operation["responses"]["409"]["content"]["application/problem+json"]["examples"]
        )
        new = document["components"]["schemas"]["ClinicVisit.New"]
        self.assertEqual(set(new["required"]), {"doctor", "day"})
        listed = json.loads(
            self.program.cli("routes", "--app", "clinic", "--json", *self.program.config_options).stdout
        )
        for route in listed:
            self.assertIn(route["path"], document["paths"])
        self.assertIn("clinic.visits.agree", {route["name"] for route in listed})

    def test_the_manual_contains_every_route_of_the_platform(self):
        manual = (harness.ROOT / "docs" / "reference" / "api.md").read_text()
        own = [path for path in self.response.json()["paths"] if not path.startswith("/v1/apps/")]
        self.assertGreater(len(own), 8)
        for path in own:
            for method in self.response.json()["paths"][path]:
                self.assertIn(f"`{method.upper()} {path}`", manual)

    def operation(self, method: str, path: str) -> dict:
        return self.response.json()["paths"]["/v1/apps/campus" + path][method]

    def test_declares_content_types_other_than_json(self):
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

    def test_declares_request_and_response_headers(self):
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
            headers = {one["name"] for one in self.operation(method, path)["parameters"] if one["in"] == "header"}
            self.assertIn(name, headers, path)
        unavailable = create["responses"]["503"]["headers"]
        self.assertIn("Retry-After", unavailable)

    def test_declares_parameters_of_pages_and_filters(self):
        parameters = {one["name"]: one for one in self.operation("get", "/students")["parameters"]}
        self.assertEqual(parameters["limit"]["schema"], {"type": "integer", "minimum": 1, "maximum": 200, "default": 20})
        self.assertLessEqual({"next", "sort", "fields", "expand", "q"}, set(parameters))
        self.assertEqual(parameters["number"]["schema"]["examples"][0][:3], "eq.")
        identity = self.operation("get", "/students/{id}")["parameters"][0]
        self.assertEqual((identity["in"], identity["schema"]["format"]), ("path", "uuid"))

    def test_examples_of_records_match_their_schemas(self):
        """Checks that each member of an example is in its schema and has the declared JSON type; nothing more."""
        types = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
        checked = 0
        for name, schema in self.response.json()["components"]["schemas"].items():
            for example in schema.get("examples", []):
                for member, value in example.items():
                    declared = schema["properties"][member].get("type")
                    if isinstance(declared, str) and declared in types:
                        self.assertIsInstance(value, types[declared], f"{name}.{member}")
                        checked += 1
        self.assertGreater(checked, 100)

    def test_operation_ids_are_unique(self):
        ids = [
            operation["operationId"]
            for path in self.response.json()["paths"].values()
            for method, operation in path.items()
            if method in ("get", "post", "put", "patch", "delete")
        ]
        self.assertEqual(len(ids), len(set(ids)))

    def test_the_docs_page_is_html(self):
        response = self.program.call("GET", "/docs")
        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers.get_content_type(), "text/html")
        self.assertIn(b"/v1/apps/campus/me", response.body)


if __name__ == "__main__":
    harness.main()
