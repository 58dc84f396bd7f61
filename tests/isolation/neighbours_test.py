#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One tenant uses up all that it may; the requests of its neighbours and of the operators succeed meanwhile."""

import http.client
import sys
import threading
import unittest
import uuid
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402
import sign_in  # noqa: E402

HANGING_CALLERS = 4
HANGING_REQUESTS = 24  # More than the blocking threads of the process.
HANG_MS = 6_000
NEIGHBOUR_REQUESTS = 10
BODY_BYTES = 8 * 1024 * 1024
HOARDED_BODIES = 48  # 384 MiB, more than the memory for bodies.


class Neighbours(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = harness.Upstream()
        cls.program = harness.Program()
        slow = manifests.route(
            "/hanging/{rest...}", "portal", methods="POST", idempotency="accepted", max_body_bytes="10MiB"
        )
        cls.program.apps = manifests.write_manifests(cls.program.data / "apps", cls.upstream.url, extra_routes=slow)
        (cls.program.apps / "clinic.yaml").write_text(manifests.CLINIC)
        cls.program.start()

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()
        cls.upstream.stop()

    def expect_neighbours_served(self):
        """Sends writes of another tenant and operators' requests, which all need a blocking thread."""
        admin, operator = self.program.token("clinic", "admin"), self.program.token("integreat-core", "admin")
        for number in range(NEIGHBOUR_REQUESTS):
            created = self.program.call(
                "POST",
                "/v1/apps/clinic/doctors",
                token=admin,
                body={"name": f"Neighbour {number}"},
                headers={"Idempotency-Key": str(uuid.uuid4())},
            )
            self.assertEqual(created.status, 201, created.body)
            keys = self.program.call("GET", "/v1/admin/tenants/campus/keys", token=operator)
            self.assertEqual(keys.status, 200, keys.body)

    def test_a_hanging_upstream_of_one_tenant_stops_no_write_of_another(self):
        callers = [
            sign_in.sign_up(self.program, "campus", "", f"hanging{number}") for number in range(HANGING_CALLERS)
        ]
        statuses = []

        def relay(number: int):
            response = self.program.call(
                "POST",
                f"/v1/apps/campus/hanging/slow?ms={HANG_MS}",
                token=callers[number % HANGING_CALLERS].token,
                body={"a": 1},
                headers={"Idempotency-Key": str(uuid.uuid4())},
            )
            statuses.append(response.status)

        threads = [threading.Thread(target=relay, args=(number,)) for number in range(HANGING_REQUESTS)]
        for thread in threads:
            thread.start()
        harness.wait_until(
            lambda: self.metric("integreat_blocking_pool_queued") > 0, 30, "requests of campus are queued"
        )
        self.expect_neighbours_served()
        self.assertEqual(statuses, [], "the neighbours were served while all requests of campus were hanging")
        for thread in threads:
            thread.join(60)
        self.assertEqual(len(statuses), HANGING_REQUESTS)

    def test_bodies_of_one_tenant_leave_memory_for_those_of_another(self):
        token, url = self.program.token("campus"), urlsplit(self.program.gateway)
        before = harness.resident_kib(self.program.pid)
        open_bodies = []
        for _ in range(HOARDED_BODIES):
            connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
            connection.putrequest("POST", "/v1/apps/campus/hanging/echo")
            connection.putheader("Authorization", f"Bearer {token}")
            connection.putheader("Idempotency-Key", str(uuid.uuid4()))
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(BODY_BYTES))
            connection.endheaders()
            self.addCleanup(connection.close)
            try:
                connection.send(b" " * (BODY_BYTES - 1))
                open_bodies.append(connection)
            except OSError:
                pass  # Refused: 64 MiB are the share of one caller.
        harness.wait_until(
            lambda: self.metric("integreat_http_bodies_refused_total") > 0, 30, "bodies are refused"
        )
        self.expect_neighbours_served()
        grown = harness.resident_kib(self.program.pid) - before
        print(f"\n{len(open_bodies)} bodies sent, memory grew by {grown / 1024:.0f} MiB")
        self.assertLess(grown, 160 * 1024, "one caller holds at most 64 MiB of bodies")

    def metric(self, name: str) -> float:
        text = self.program.call("GET", "/metrics").body.decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + " "))


if __name__ == "__main__":
    harness.main()
