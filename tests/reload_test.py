#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""10,000 reloads under load: no request fails and memory stays flat; a wrong file changes nothing."""

import os
import threading
import time
import unittest

import apps
import harness

RELOADS = int(os.environ.get("INTEGREAT_TEST_RELOADS", "10000"))
WARM_UP = RELOADS // 5
MEMORY_TOLERANCE = 0.05
LOG_CALM = 3  # Seconds after which the transaction log has given its buffers back.
DONE = 'result="loaded"'


class Reload(unittest.TestCase):
    def setUp(self):
        self.upstream = harness.Upstream()
        self.addCleanup(self.upstream.stop)
        self.program = harness.Program()
        self.addCleanup(self.program.remove)
        self.program.apps = self.program.data / "apps"
        self.versions = [
            apps.campus(self.upstream.url),
            apps.campus(self.upstream.url, more_routes=apps.route("/second/{rest...}", "portal")),
        ]
        apps.write(self.program.apps, self.upstream.url)
        self.program.start()

    def reloads(self, which: str = DONE) -> int:
        return int(harness.metric_sum(self.program.metrics(), "integreat_reloads_total", which))

    def write_campus(self, text: str) -> None:
        """Beside and renamed, as editors do: a reload sees one version or the other."""
        beside = self.program.data / "campus.new"
        beside.write_text(text)
        beside.rename(self.program.manifests / "campus.yaml")

    def reload_until(self, count: int, seconds: float) -> None:
        """SIGHUP by SIGHUP, each with the other version, until the program has counted so many."""
        until = time.monotonic() + seconds
        version = 0
        while self.reloads() < count:
            for _ in range(20):
                version = 1 - version
                self.write_campus(self.versions[version])
                self.program.reload()
                time.sleep(0.002)
            self.assertLess(time.monotonic(), until, f"only {self.reloads()} of {count} reloads in time")

    def memory_at_rest(self) -> int:
        """Once the rows of the flood are with the database, and the log has seen that it was the last: until
        then they are in memory, as many as fit, or room for them."""
        harness.wait_until(lambda: self.rows_waiting() < 10, 30, "the transaction log")
        time.sleep(LOG_CALM)
        return harness.memory_kib(self.program.pid)

    def rows_waiting(self) -> float:
        return harness.metric_sum(self.program.metrics(), "integreat_transaction_log_waiting")

    def reload_under_load(self, count: int, seconds: float) -> list[dict]:
        """Until so many reloads are counted; what came of the requests meanwhile."""
        token = self.program.token("campus")
        results, stop = [], threading.Event()

        def load():
            while not stop.is_set():
                results.append(
                    harness.load(self.program.gateway, "/v1/apps/campus/me", 5, connections=8, token=token)
                )

        loader = threading.Thread(target=load)
        loader.start()
        try:
            self.reload_until(count, seconds)
        finally:
            stop.set()
            loader.join(90)
        return results

    def test_many_reloads_under_load_fail_nothing_and_keep_memory_flat(self):
        results = self.reload_under_load(WARM_UP, 240)
        warm = self.memory_at_rest()
        results += self.reload_under_load(RELOADS, 400)
        end = self.memory_at_rest()
        print(
            f"\n{self.reloads()} reloads, {sum(result['requests'] for result in results)} requests; "
            f"memory {warm} KiB after {WARM_UP}, {end} KiB at the end"
        )
        self.assertEqual(sum(result["refused"] + result["broken"] for result in results), 0, results)
        self.assertEqual(self.reloads('result="refused"'), 0)
        self.assertLess(abs(end - warm), warm * MEMORY_TOLERANCE)

    def test_a_new_route_answers_after_a_reload_and_a_removed_one_does_not(self):
        token = self.program.token("campus")
        path = "/v1/apps/campus/second/echo"
        self.assertEqual(self.program.call("GET", path, token=token).status, 404)
        self.write_campus(self.versions[1])
        self.program.reload()
        harness.wait_until(
            lambda: self.program.call("GET", path, token=token).status == 200, 10, "the new route"
        )
        self.write_campus(self.versions[0])
        self.program.reload()
        harness.wait_until(
            lambda: self.program.call("GET", path, token=token).status == 404, 10, "its removal"
        )

    def test_a_changed_file_is_loaded_without_a_signal(self):
        token = self.program.token("campus")
        self.write_campus(self.versions[1])
        harness.wait_until(
            lambda: self.program.call("GET", "/v1/apps/campus/second/echo", token=token).status == 200,
            10,
            "the new route, by watching the file",
        )

    def test_a_wrong_file_changes_nothing_and_says_where_it_is_wrong(self):
        token = self.program.token("campus")
        before = self.program.call("GET", "/v1/apps/campus/me", token=token)
        wrong = (
            self.versions[1]
            .replace("roles: [student", "rolse: [student")
            .replace("methods: [GET]", "methods: [FETCH]", 1)
        )
        self.write_campus(wrong)
        self.program.reload()
        harness.wait_until(lambda: self.reloads('result="refused"') >= 1, 10, "the refused reload")
        self.assertEqual(self.program.call("GET", "/v1/apps/campus/me", token=token).body, before.body)
        self.assertEqual(self.program.call("GET", "/v1/apps/campus/second/echo", token=token).status, 404)
        log = self.program.log()
        self.assertIn("rolse", log)
        self.assertIn("FETCH", log, "every mistake is reported, not the first")
        self.assertRegex(log, r"campus\.yaml:\d+:\d+")


if __name__ == "__main__":
    harness.main(measures=True)
