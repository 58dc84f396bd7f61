#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""SIGTERM with requests in flight: they get responses, new connections are refused, and the program ends in time."""

import sys
import threading
import time
import unittest
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402

SLOW_MS = 2_000
IN_FLIGHT = 10


class Drain(unittest.TestCase):
    def setUp(self):
        self.upstream = harness.Upstream()
        self.addCleanup(self.upstream.stop)
        self.program = harness.Program(settings="http:\n  drain_timeout: 8s\n")
        self.addCleanup(self.program.remove)
        self.program.apps = manifests.write_manifests(self.program.data / "apps", self.upstream.url)
        self.program.start()
        self.token = self.program.token("campus")

    def send(self, ms: int, responses: list) -> threading.Thread:
        def call():
            try:
                response = self.program.call(
                    "GET", f"/v1/apps/campus/portal/slow?ms={ms}", token=self.token, timeout=60
                )
                responses.append((response.status, response.headers.get("Connection", "")))
            except OSError as error:
                responses.append((0, repr(error)))

        thread = threading.Thread(target=call)
        thread.start()
        return thread

    def refuses_connections(self) -> bool:
        url = urlsplit(self.program.gateway)
        try:
            harness.socket.create_connection((url.hostname, url.port), timeout=2).close()
            return False
        except ConnectionRefusedError:
            return True

    def test_requests_in_flight_get_responses_and_new_connections_are_refused(self):
        responses = []
        senders = [self.send(SLOW_MS, responses) for _ in range(IN_FLIGHT)]
        time.sleep(0.7)  # Until all of them have reached the upstream.
        began = time.monotonic()
        self.program.process.terminate()
        harness.wait_until(self.refuses_connections, 1.5, "new connections are refused while draining")
        for sender in senders:
            sender.join(30)
        self.assertEqual([status for status, _ in responses], [200] * IN_FLIGHT, responses)
        self.assertEqual(self.program.process.wait(15), 0, self.program.log()[-2000:])
        print(f"\n{IN_FLIGHT} requests finished; ended {time.monotonic() - began:.2f} s after SIGTERM")

    def test_ends_in_time_with_a_request_that_does_not(self):
        sender = self.send(60_000, [])
        time.sleep(0.5)
        began = time.monotonic()
        self.program.process.terminate()
        self.assertEqual(self.program.process.wait(20), 1, "the exit code of a drain with unfinished requests")
        self.assertLess(time.monotonic() - began, 15)
        sender.join(30)

    def test_idle_connections_do_not_delay_the_end(self):
        url = urlsplit(self.program.gateway)
        idle = [harness.socket.create_connection((url.hostname, url.port)) for _ in range(50)]
        try:
            time.sleep(0.2)
            began = time.monotonic()
            self.assertEqual(self.program.stop(), 0)
            self.assertLess(time.monotonic() - began, 6)
        finally:
            for connection in idle:
                connection.close()


if __name__ == "__main__":
    harness.main()
