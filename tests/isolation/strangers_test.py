#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Callers without a sign-in: responses that they do not read stay within the memory for responses, and a flood of
requests without a route is refused, sampled in the transaction log, and displaces no rows of others."""

import http.client
import json
import socket
import subprocess
import sys
import unittest
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402

SILENT_READERS = 240  # Within the burst of an address, per document.
DOCUMENTS = ("/openapi.json", "/docs", "/v1/apps/campus/openapi.json")
FLOOD = 2_000
LONG_TEXT = "x" * 3_500
SIGNED_IN = 20
RECORDS = 50
SETTINGS = """
http:
  max_response_bytes_in_flight: 16MiB
"""


class Strangers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = harness.Upstream()
        cls.program = harness.Program(settings=SETTINGS)
        cls.program.apps = manifests.write_manifests(cls.program.data / "apps", cls.upstream.url)
        (cls.program.apps / "clinic.yaml").write_text(
            manifests.CLINIC.replace("collections:\n", f"max_records_per_window: {RECORDS}\ncollections:\n", 1)
        )
        cls.program.start()
        cls.address = urlsplit(cls.program.gateway)

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()
        cls.upstream.stop()

    def query(self, sql: str) -> list[str]:
        environment = self.program.database("platform")
        done = subprocess.run(
            ["psql", "-AtX", "-F", " ", "-c", sql], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    def test_responses_that_nobody_reads_stay_within_their_memory(self):
        for path in DOCUMENTS:
            self.assertEqual(self.program.call("GET", path).status, 200)
        before = harness.resident_kib(self.program.pid)
        for number in range(SILENT_READERS):
            reader = socket.socket()
            self.addCleanup(reader.close)
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
            reader.connect((self.address.hostname, self.address.port))
            path = DOCUMENTS[number % len(DOCUMENTS)]
            reader.sendall(f"GET {path} HTTP/1.1\r\nHost: {self.address.netloc}\r\n\r\n".encode())
        harness.wait_until(
            lambda: self.metric("integreat_connections_open") >= SILENT_READERS, 30, "all readers are connected"
        )
        self.assertEqual(self.program.call("GET", "/healthz").status, 200)
        grown = harness.resident_kib(self.program.pid) - before
        print(f"\n{SILENT_READERS} silent readers, memory grew by {grown / 1024:.0f} MiB")
        self.assertLessEqual(self.metric("integreat_http_response_bytes_in_flight"), 16 * 1024 * 1024)
        self.assertLess(grown, 64 * 1024, "a copy per reader is more")

    def test_lists_of_records_use_up_a_budget(self):
        token = self.program.token("clinic", "admin")

        def create(records):
            headers = {"Content-Type": "application/json"}
            body = json.dumps(records).encode()
            return self.program.call("POST", "/v1/apps/clinic/doctors", token=token, body=body, headers=headers)

        doctors = [{"name": f"Doctor {number}"} for number in range(2 * RECORDS)]
        self.assertEqual(create(doctors).status, 201)
        refused = create(doctors)
        self.assertEqual(refused.status, 429, refused.body)
        self.assertIn("max_records_per_window", refused.json()["detail"])
        self.assertGreater(int(refused.headers["Retry-After"]), 0)
        self.assertEqual(create(doctors[0]).status, 201, "a single record costs a request only")

    def test_documents_are_compressed_and_revalidated(self):
        for path in DOCUMENTS:
            plain = self.program.call("GET", path)
            packed = self.program.call("GET", path, headers={"Accept-Encoding": "gzip"})
            self.assertEqual(packed.headers["Content-Encoding"], "gzip", path)
            self.assertLess(len(packed.body), len(plain.body) / 2, path)
            again = self.program.call("GET", path, headers={"If-None-Match": plain.headers["ETag"]})
            self.assertEqual((again.status, again.body), (304, b""), path)

    def test_a_flood_without_a_route_is_refused_and_sampled(self):
        token = self.program.token("campus")
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=30)
        self.addCleanup(connection.close)
        headers = {f"X-Long-{number}": LONG_TEXT for number in range(3)}
        statuses = Counter()
        for number in range(FLOOD):
            connection.request("GET", f"/{LONG_TEXT}", headers=headers)
            response = connection.getresponse()
            response.read()
            statuses[response.status] += 1
            if number % (FLOOD // SIGNED_IN) == 0:
                self.assertEqual(self.program.call("GET", "/v1/apps/campus/me", token=token).status, 200)
        print(f"\nresponses to the flood: {dict(statuses)}")
        self.assertEqual(statuses[404] + statuses[429], FLOOD)
        self.assertGreaterEqual(statuses[404], 150)
        self.assertGreater(statuses[429], 0)
        harness.wait_until(
            lambda: self.metric("integreat_transaction_log_sampled_total") > 0
            and self.metric("integreat_transaction_log_queued") == 0,
            30,
            "the rows are written",
        )
        where = "FROM integreat.transaction_log WHERE url LIKE '/xxx%'"
        rows, longest, with_headers = self.query(
            f"SELECT count(*), max(length(url)), count(*) FILTER (WHERE request_headers::text LIKE '%xxx%') {where}"
        )
        self.assertLess(int(rows), FLOOD)
        harness.wait_until(
            lambda: int(self.query(f"SELECT count(*) {where}")[0])
            + self.metric("integreat_transaction_log_sampled_total")
            == FLOOD,
            30,
            "every request of the flood is written or counted",
        )
        self.assertLessEqual(int(longest), 256)
        self.assertEqual(int(with_headers), 0)
        harness.wait_until(
            lambda: self.query("SELECT count(*) FROM integreat.transaction_log WHERE route = 'campus.me'")
            == [str(SIGNED_IN)],
            30,
            "all rows of the signed-in caller are written",
        )

    def metric(self, name: str) -> float:
        return self.program.metrics()[name]


if __name__ == "__main__":
    harness.main()
