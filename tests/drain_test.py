#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGTERM with requests in flight: they are answered, new connections are refused, the end comes in time."""

import threading
import time
import unittest
from urllib.parse import urlsplit

import apps
import harness

SLOW_MS = 2_000
IN_FLIGHT = 10


class Drain(unittest.TestCase):
    def setUp(self):
        self.upstream = harness.Upstream()
        self.addCleanup(self.upstream.stop)
        self.program = harness.Program(settings="http:\n  drain_timeout: 8s\n")
        self.addCleanup(self.program.remove)
        self.program.apps = apps.write(self.program.data / "apps", self.upstream.url)
        self.program.start()
        self.token = self.program.token("campus")

    def send(self, ms: int, answers: list) -> threading.Thread:
        def one():
            try:
                answer = self.program.call(
                    "GET", f"/v1/apps/campus/portal/slow?ms={ms}", token=self.token, timeout=60
                )
                answers.append((answer.status, answer.headers.get("Connection", "")))
            except OSError as broken:
                answers.append((0, repr(broken)))

        thread = threading.Thread(target=one)
        thread.start()
        return thread

    def refuses_connections(self) -> bool:
        where = urlsplit(self.program.gateway)
        try:
            harness.socket.create_connection((where.hostname, where.port), timeout=2).close()
            return False
        except ConnectionRefusedError:
            return True

    def test_requests_in_flight_are_answered_and_new_ones_refused(self):
        answers = []
        senders = [self.send(SLOW_MS, answers) for _ in range(IN_FLIGHT)]
        time.sleep(0.7)  # Let all of them reach the upstream.
        began = time.monotonic()
        self.program.process.terminate()
        harness.wait_until(self.refuses_connections, 1.5, "new connections to be refused while draining")
        for sender in senders:
            sender.join(30)
        self.assertEqual([status for status, _ in answers], [200] * IN_FLIGHT, answers)
        self.assertEqual(self.program.process.wait(15), 0, self.program.log()[-2000:])
        print(f"\n{IN_FLIGHT} requests finished; ended {time.monotonic() - began:.2f} s after SIGTERM")

    def test_ends_in_bounded_time_though_a_request_never_does(self):
        sender = self.send(60_000, [])
        time.sleep(0.5)
        began = time.monotonic()
        self.program.process.terminate()
        self.assertEqual(self.program.process.wait(20), 1, "the end was not clean, and the exit code says so")
        self.assertLess(time.monotonic() - began, 15)
        sender.join(30)

    def test_idle_connections_do_not_hold_it_up(self):
        where = urlsplit(self.program.gateway)
        idle = [harness.socket.create_connection((where.hostname, where.port)) for _ in range(50)]
        try:
            time.sleep(0.2)
            began = time.monotonic()
            self.assertEqual(self.program.stop(), 0)
            self.assertLess(time.monotonic() - began, 6)
        finally:
            for line in idle:
                line.close()


if __name__ == "__main__":
    harness.main()
