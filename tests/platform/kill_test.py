#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the gateway and of its Postgres while clients write: the program recovers, and no accepted idempotent
write is lost or executed twice, by the counts of the upstream and the list of API keys."""

import http.client
import os
import signal
import sys
import threading
import time
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402

WRITERS = 6
WRITE_TIMEOUT_SECONDS = 90  # For all attempts of one write.


class Writer(threading.Thread):
    """Sends idempotent writes one after the other and repeats each with its key until it is accepted."""

    def __init__(self, test, name: str, path: str) -> None:
        super().__init__()
        self.test, self.name, self.path = test, name, path
        self.accepted: dict[str, bytes] = {}
        self.unknown: dict[str, list] = {}
        self.statuses: Counter = Counter()
        self.stopping = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            self.write(f"{self.name}-{number}")
            number += 1

    def write(self, key: str) -> None:
        deadline = time.monotonic() + WRITE_TIMEOUT_SECONDS
        statuses = []
        while time.monotonic() < deadline:
            status, body = self.attempt(key)
            self.statuses[status] += 1
            statuses.append(status)
            if 200 <= status < 300:
                self.accepted[key] = body
                return
            if status == 502 and self.path.endswith("careless"):
                break  # The outcome is unknown: a caller must check it instead of repeating the request.
            time.sleep(0.05)
        self.unknown[key] = statuses

    def attempt(self, key: str) -> tuple[int, bytes]:
        try:
            response = self.test.post(self.path, key)
            return response.status, response.body
        except (OSError, http.client.HTTPException):
            return 0, b""  # The program was killed during the request: the case for which keys exist.


class Kill(unittest.TestCase):
    def setUp(self):
        self.upstream = harness.Upstream()
        self.addCleanup(self.upstream.stop)
        self.program = harness.Program()
        self.addCleanup(self.program.remove)
        self.program.apps = manifests.write_manifests(self.program.data / "apps", self.upstream.url)
        self.program.start()
        self.token = self.program.token("campus")

    def post(self, path: str, key: str) -> harness.Response:
        return harness.call(
            self.program.gateway,
            "POST",
            path,
            token=self.token,
            body={"order": key},
            headers={"Idempotency-Key": key},
            timeout=20,
        )

    def postgres_pid(self) -> int:
        """Returns the id of the postmaster: the postgres process whose parent is another program."""
        tree = harness.process_tree(self.program.pid)
        servers = {pid for pid, name in tree.items() if name.startswith("postgres")}
        for pid in servers:
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
            except FileNotFoundError:  # The process has ended since.
                continue
            if parent not in servers:
                return pid
        raise AssertionError(f"no Postgres below {self.program.pid}: {tree}")

    def kill_gateway(self):
        self.program.kill()
        self.program.start()

    def kill_postgres(self):
        before = self.postgres_pid()
        os.kill(before, signal.SIGKILL)

        def is_replaced() -> bool:
            try:
                return self.postgres_pid() != before and self.program.call("GET", "/readyz").status == 200
            except AssertionError:
                return False

        harness.wait_until(is_replaced, 30, "the supervisor starts another Postgres and /readyz is 200")

    def write_during(self, path: str, fault, kills: int) -> list[Writer]:
        writers = [Writer(self, f"writer{number}", path) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        try:
            for _ in range(kills):
                time.sleep(1.5)
                fault()
            time.sleep(1.5)
        finally:
            for writer in writers:
                writer.stopping.set()
            for writer in writers:
                writer.join(WRITE_TIMEOUT_SECONDS + 30)
        return writers

    def expect_counted_once(self, writers: list[Writer]):
        done = self.upstream.counts()["done"]
        accepted = {key for writer in writers for key in writer.accepted}
        unknown = {key: statuses for writer in writers for key, statuses in writer.unknown.items()}
        statuses = sum((writer.statuses for writer in writers), Counter())
        print(
            f"\n{len(accepted)} writes accepted, {len(unknown)} of unknown outcome; attempts: {dict(statuses)}"
        )
        self.assertGreater(len(accepted), 50)
        self.assertEqual({key for key in accepted if done.get(key, 0) != 1}, set(), "lost or executed twice")
        self.assertEqual({key: times for key, times in done.items() if times > 1}, {}, "executed twice")
        return unknown

    def test_killing_the_gateway_neither_loses_nor_repeats_writes(self):
        writers = self.write_during("/v1/apps/campus/orders/count", self.kill_gateway, harness.rounds(3))
        self.assertEqual(self.expect_counted_once(writers), {})

    def test_killing_postgres_neither_loses_nor_repeats_writes(self):
        writers = self.write_during("/v1/apps/campus/orders/count", self.kill_postgres, harness.rounds(3))
        self.assertEqual(self.expect_counted_once(writers), {})

    def test_killing_the_gateway_never_repeats_a_write_to_an_upstream_that_ignores_keys(self):
        """An interrupted write has an unknown outcome: the response reports this, and the gateway does not repeat it."""
        kills = harness.rounds(2)
        writers = self.write_during("/v1/apps/campus/careless/careless", self.kill_gateway, kills)
        unknown = self.expect_counted_once(writers)
        self.assertLessEqual(len(unknown), kills * WRITERS, "only writes in flight may be unknown")

    def test_an_accepted_write_is_replayed_byte_for_byte_after_a_kill(self):
        first = self.post("/v1/apps/campus/orders/count", "kept")
        self.assertEqual(first.status, 201, first.body)
        self.kill_gateway()
        again = self.post("/v1/apps/campus/orders/count", "kept")
        self.assertEqual((again.status, again.body), (first.status, first.body))
        self.assertEqual(self.upstream.counts()["arrived"], {"kept": 1})

    def test_killing_both_while_keys_are_created_creates_each_once(self):
        operator = self.program.token("integreat-core", "admin")
        self.token = operator
        path = "/v1/admin/tenants/campus/keys"
        for number in range(12):
            if number == 4:
                self.kill_postgres()
            if number == 8:
                self.kill_gateway()
            self.create_key(path, f"created-{number}")
        listed = self.program.call("GET", path, token=operator).json()
        names = Counter(key["name"] for key in listed["keys"])
        self.assertEqual(
            {name: times for name, times in names.items() if name.startswith("created-")},
            {f"created-{number}": 1 for number in range(12)},
        )

    def create_key(self, path: str, name: str) -> dict:
        """Sends the same request three times with one Idempotency-Key, which must create one API key."""

        def accepted():
            try:
                response = harness.call(
                    self.program.gateway,
                    "POST",
                    path,
                    token=self.token,
                    body={"name": name, "scopes": ["feed.read"]},
                    headers={"Idempotency-Key": name},
                    timeout=20,
                )
            except (OSError, http.client.HTTPException):
                return None
            self.assertIn(response.status, (200, 201, 409, 500, 502, 503, 504), response.body)
            return response if response.status in (200, 201) else None

        responses = [harness.wait_until(accepted, 30, f"key {name}") for _ in range(3)]
        # The key itself is in the first response only, since it is not stored.
        bodies = [{**response.json(), "key": None} for response in responses]
        self.assertEqual(bodies[1:], bodies[:-1], "the replay differs")
        return bodies[0]


if __name__ == "__main__":
    harness.main()
