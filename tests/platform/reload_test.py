#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""10,000 reloads under load: no request fails, memory does not grow, and an invalid file changes nothing."""

import os
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402

RELOADS = int(os.environ.get("INTEGREAT_TEST_RELOADS", "10000"))
WARM_UP = RELOADS // 5
MEMORY_TOLERANCE = 0.05
LOG_IDLE_SECONDS = 3  # Time after which the transaction log has freed its buffers.
LOADED = 'result="loaded"'


class Reload(unittest.TestCase):
    def setUp(self):
        self.upstream = harness.Upstream()
        self.addCleanup(self.upstream.stop)
        self.program = harness.Program()
        self.addCleanup(self.program.remove)
        self.program.apps = self.program.data / "apps"
        self.versions = [
            manifests.campus(self.upstream.url),
            manifests.campus(self.upstream.url, extra_routes=manifests.route("/second/{rest...}", "portal")),
        ]
        manifests.write_manifests(self.program.apps, self.upstream.url)
        self.program.start()

    def reloads(self, label: str = LOADED) -> int:
        return int(harness.metric_sum(self.program.metrics(), "integreat_reloads_total", label))

    def write_campus(self, text: str) -> None:
        """Replaces the manifest by renaming, as editors do: a reload reads one version or the other."""
        new_file = self.program.data / "campus.new"
        new_file.write_text(text)
        new_file.rename(self.program.manifests / "campus.yaml")

    def reload_until(self, count: int, seconds: float) -> None:
        """Sends SIGHUP with alternating versions until the program has counted `count` reloads."""
        deadline = time.monotonic() + seconds
        version = 0
        while self.reloads() < count:
            for _ in range(20):
                version = 1 - version
                self.write_campus(self.versions[version])
                self.program.reload()
                time.sleep(0.002)
            self.assertLess(time.monotonic(), deadline, f"only {self.reloads()} of {count} reloads in time")

    def idle_memory(self) -> int:
        """Returns the resident KiB when the rows of the load are in the database and the log has freed its buffers."""
        harness.wait_until(lambda: self.queued_rows() < 10, 30, "the transaction log is written")
        time.sleep(LOG_IDLE_SECONDS)
        return harness.resident_kib(self.program.pid)

    def queued_rows(self) -> float:
        return harness.metric_sum(self.program.metrics(), "integreat_transaction_log_queued")

    def reload_under_load(self, count: int, seconds: float) -> list[dict]:
        """Runs wrk until `count` reloads are counted. Returns the results of wrk."""
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

    def test_many_reloads_under_load_fail_no_request_and_keep_memory_constant(self):
        results = self.reload_under_load(WARM_UP, 240)
        warm = self.idle_memory()
        results += self.reload_under_load(RELOADS, 400)
        end = self.idle_memory()
        print(
            f"\n{self.reloads()} reloads, {sum(result['requests'] for result in results)} requests; "
            f"memory {warm} KiB after {WARM_UP}, {end} KiB at the end"
        )
        self.assertEqual(sum(result["http_errors"] + result["socket_errors"] for result in results), 0, results)
        self.assertEqual(self.reloads('result="refused"'), 0)
        self.assertLess(abs(end - warm), warm * MEMORY_TOLERANCE)

    def test_a_changed_file_is_loaded_with_and_without_a_signal(self):
        token = self.program.token("campus")
        path = "/v1/apps/campus/second/echo"
        self.assertEqual(self.program.call("GET", path, token=token).status, 404)
        for version, signalled, status in ((1, False, 200), (0, True, 404), (1, True, 200)):
            self.write_campus(self.versions[version])
            if signalled:
                self.program.reload()
            harness.wait_until(
                lambda expected=status: self.program.call("GET", path, token=token).status == expected,
                10,
                f"status {status} after a change {'with' if signalled else 'without'} SIGHUP",
            )

    def test_an_invalid_file_changes_nothing_and_its_errors_are_reported(self):
        token = self.program.token("campus")
        before = self.program.call("GET", "/v1/apps/campus/me", token=token)
        invalid = (
            self.versions[1]
            .replace("roles: [student", "rolse: [student")
            .replace("methods: [GET]", "methods: [FETCH]", 1)
        )
        self.write_campus(invalid)
        self.program.reload()
        harness.wait_until(lambda: self.reloads('result="refused"') >= 1, 10, "the reload is refused")
        self.assertEqual(self.program.call("GET", "/v1/apps/campus/me", token=token).body, before.body)
        self.assertEqual(self.program.call("GET", "/v1/apps/campus/second/echo", token=token).status, 404)
        log = self.program.log()
        self.assertIn("rolse", log)
        self.assertIn("FETCH", log, "every error is reported, not only the first")
        self.assertRegex(log, r"campus\.yaml:\d+:\d+")


if __name__ == "__main__":
    harness.main(measures=True)
