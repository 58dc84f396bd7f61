#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the gateway and of its Postgres while clients write: it recovers by itself, and no accepted
idempotent write is doubled or lost. The upstream counts, and so does the list of API keys."""

import http.client
import os
import signal
import threading
import time
import unittest
from collections import Counter

import apps
import harness

WRITERS = 6
KEY_SECONDS_MAX = 90  # For one write to be accepted, over all its attempts.


class Writer(threading.Thread):
    """Posts one idempotent write after the other, each again with its own key until it is accepted."""

    def __init__(self, test, name: str, path: str) -> None:
        super().__init__()
        self.test, self.name, self.path = test, name, path
        self.accepted: dict[str, bytes] = {}
        self.given_up: dict[str, list] = {}
        self.statuses: Counter = Counter()
        self.stopping = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            self.write(f"{self.name}-{number}")
            number += 1

    def write(self, key: str) -> None:
        until = time.monotonic() + KEY_SECONDS_MAX
        seen = []
        while time.monotonic() < until:
            status, body = self.attempt(key)
            self.statuses[status] += 1
            seen.append(status)
            if 200 <= status < 300:
                self.accepted[key] = body
                return
            if status == 502 and self.path.endswith("careless"):
                break  # The outcome is unknown and said to be: a caller must look, not send again.
            time.sleep(0.05)
        self.given_up[key] = seen

    def attempt(self, key: str) -> tuple[int, bytes]:
        try:
            answer = self.test.post(self.path, key)
            return answer.status, answer.body
        except (OSError, http.client.HTTPException):
            return 0, b""  # Killed in the middle: exactly the case that the key is for.


class Kill(unittest.TestCase):
    def setUp(self):
        self.upstream = harness.Upstream()
        self.addCleanup(self.upstream.stop)
        self.program = harness.Program()
        self.addCleanup(self.program.remove)
        self.program.apps = apps.write(self.program.data / "apps", self.upstream.url)
        self.program.start()
        self.token = self.program.token("campus")

    def post(self, path: str, key: str) -> harness.Answer:
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
        """The postmaster: the Postgres whose parent is not one."""
        inside = harness.tree_of(self.program.pid)
        servers = {pid for pid, name in inside.items() if name.startswith("postgres")}
        for pid in servers:
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
            except FileNotFoundError:  # Gone since the tree was looked at.
                continue
            if parent not in servers:
                return pid
        raise AssertionError(f"no Postgres below {self.program.pid}: {inside}")

    def kill_gateway(self):
        self.program.kill()
        self.program.start()

    def kill_postgres(self):
        before = self.postgres_pid()
        os.kill(before, signal.SIGKILL)

        def another() -> bool:
            try:
                return self.postgres_pid() != before and self.program.call("GET", "/readyz").status == 200
            except AssertionError:
                return False

        harness.wait_until(another, 30, "another Postgres, started by its supervisor, and /readyz")

    def write_through(self, path: str, blow, times: int) -> list[Writer]:
        writers = [Writer(self, f"writer{number}", path) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        try:
            for _ in range(times):
                time.sleep(1.5)
                blow()
            time.sleep(1.5)
        finally:
            for writer in writers:
                writer.stopping.set()
            for writer in writers:
                writer.join(KEY_SECONDS_MAX + 30)
        return writers

    def expect_counted_once(self, writers: list[Writer]):
        done = self.upstream.counts()["done"]
        accepted = {key for writer in writers for key in writer.accepted}
        given_up = {key: seen for writer in writers for key, seen in writer.given_up.items()}
        statuses = sum((writer.statuses for writer in writers), Counter())
        print(
            f"\n{len(accepted)} writes accepted, {len(given_up)} of unknown outcome; attempts: {dict(statuses)}"
        )
        self.assertGreater(len(accepted), 50)
        self.assertEqual({key for key in accepted if done.get(key, 0) != 1}, set(), "lost or doubled")
        self.assertEqual({key: times for key, times in done.items() if times > 1}, {}, "doubled")
        return given_up

    def test_killing_the_gateway_loses_and_doubles_nothing(self):
        writers = self.write_through("/v1/apps/campus/orders/count", self.kill_gateway, 3)
        self.assertEqual(self.expect_counted_once(writers), {})

    def test_killing_postgres_loses_and_doubles_nothing(self):
        writers = self.write_through("/v1/apps/campus/orders/count", self.kill_postgres, 3)
        self.assertEqual(self.expect_counted_once(writers), {})

    def test_killing_the_gateway_never_repeats_to_an_upstream_that_does_not_know_the_key(self):
        """What was interrupted has an unknown outcome; it must be said to have one, and not be sent again."""
        writers = self.write_through("/v1/apps/campus/careless/careless", self.kill_gateway, 2)
        given_up = self.expect_counted_once(writers)
        self.assertLessEqual(len(given_up), 2 * WRITERS, "only what was in flight may be unknown")

    def test_an_accepted_write_is_replayed_byte_for_byte_after_a_kill(self):
        first = self.post("/v1/apps/campus/orders/count", "kept")
        self.assertEqual(first.status, 201, first.body)
        self.kill_gateway()
        again = self.post("/v1/apps/campus/orders/count", "kept")
        self.assertEqual((again.status, again.body), (first.status, first.body))
        self.assertEqual(self.upstream.counts()["arrived"], {"kept": 1})

    def test_killing_both_while_keys_are_made_makes_each_once(self):
        operator = self.program.token("integreat-core", "admin")
        self.token = operator
        path = "/v1/admin/tenants/campus/keys"
        made = {}
        for number in range(12):
            if number == 4:
                self.kill_postgres()
            if number == 8:
                self.kill_gateway()
            made[number] = self.make_key(path, f"made-{number}")
        listed = self.program.call("GET", path, token=operator).json()
        names = Counter(key["name"] for key in listed["keys"])
        self.assertEqual(
            {name: times for name, times in names.items() if name.startswith("made-")},
            {f"made-{number}": 1 for number in range(12)},
        )

    def make_key(self, path: str, name: str) -> dict:
        """The same request three times, with one Idempotency-Key: one API key."""

        def accepted():
            try:
                answer = harness.call(
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
            self.assertIn(answer.status, (200, 201, 409, 500, 502, 503, 504), answer.body)
            return answer if answer.status in (200, 201) else None

        answers = [harness.wait_until(accepted, 30, f"key {name}") for _ in range(3)]
        # Byte for byte, but for the key itself: it is shown once and stored nowhere.
        shown = [{**answer.json(), "key": None} for answer in answers]
        self.assertEqual(shown[1:], shown[:-1], "the replay differs")
        return shown[0]


if __name__ == "__main__":
    harness.main()
