#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Everybody follows every collection while each of its records changes: listeners are told of the records they may
read, of all of them, in the fields they may see, and of no others (tests/isolation_test.py says who they are)."""

import collections
import http.client
import json
import sys
import threading
import time
import unittest
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import sign_in  # noqa: E402
from access_oracle import Caller  # noqa: E402
from isolation_test import APPS, Matrix  # noqa: E402

TOLD_SECONDS_MAX = 20
QUIET_SECONDS = 0.7  # After the last that was expected, in which something more might come.


class Listener(threading.Thread):
    def __init__(self, gateway: str, path: str, caller: Caller) -> None:
        super().__init__(daemon=True)
        where = urlsplit(gateway)
        self.caller = caller
        self.connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
        headers = {"Authorization": f"Bearer {caller.token}"} if caller.token else {}
        self.connection.request("GET", path, headers={**headers, "Accept": "text/event-stream"})
        self.answer = self.connection.getresponse()
        self.told: list[tuple[str, dict]] = []

    def run(self) -> None:
        event = ""
        try:
            while line := self.answer.readline():
                text = line.decode().rstrip("\r\n")
                if text.startswith("event: "):
                    event = text.removeprefix("event: ")
                elif text.startswith("data: "):
                    self.told.append((event, json.loads(text.removeprefix("data: "))))
        except (OSError, ValueError, http.client.HTTPException, AttributeError):
            return  # Hung up by end().

    def ids(self) -> list[str]:
        return [data["id"] for _, data in list(self.told) if "id" in data]

    def end(self) -> None:
        sock = self.connection.sock
        if sock:
            sock.shutdown(2)
        self.join(10)
        self.connection.close()


class Feed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = sign_in.start_program()

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    def test_listeners_are_told_of_what_they_may_read(self):
        counts: collections.Counter = collections.Counter()
        for name in APPS:
            matrix = Matrix(self.program, name)
            self.addCleanup(matrix.superuser.close)
            matrix.prepare()
            for collection in matrix.app.collections:
                self.assertIn(("GET", "/changes"), matrix.routes[collection])
                self.follow(matrix, collection, counts)
        print(f"\n{dict(counts)}")

    def follow(self, matrix: Matrix, collection: str, counts: collections.Counter) -> None:
        listeners: list[tuple[Listener, Caller]] = []
        path = f"/v1/apps/{matrix.app.name}/{collection}/changes"
        for caller in matrix.callers:
            who, gated = matrix.gate(collection, "read", caller)
            listener = Listener(self.program.gateway, path, caller)
            if gated:
                self.assertIn(listener.answer.status, gated, f"{caller.name} {path}")
                listener.connection.close()
                counts["refused"] += 1
                continue
            if listener.answer.status != 200:
                self.fail(f"{caller.name} {path}: {listener.answer.status} {listener.answer.read(300)}")
            listener.start()
            listeners.append((listener, who))
        time.sleep(0.1)  # Until those who have come are known to be there.
        matrix.superuser.run(f'UPDATE data."{collection}" SET version = version + 1')
        expected = [
            {one.id for one in matrix.world.of(collection) if matrix.app.reads(one, who, matrix.world)}
            for _, who in listeners
        ]
        until = time.monotonic() + TOLD_SECONDS_MAX
        while time.monotonic() < until:
            if all(wanted <= set(one.ids()) for (one, _), wanted in zip(listeners, expected, strict=True)):
                break
            time.sleep(0.05)
        time.sleep(QUIET_SECONDS)
        for (listener, who), wanted in zip(listeners, expected, strict=True):
            listener.end()
            what = f"{listener.caller.name} {path}"
            got = listener.ids()
            self.assertEqual(set(got) - wanted, set(), f"{what} is told of what it may not read")
            self.assertEqual(wanted - set(got), set(), f"{what} is not told of what it may read")
            shown = matrix.app.shown(collection, who)
            for event, data in listener.told:
                self.assertLessEqual(set(data), shown, f"{what}: {event}")
            counts["told"] += len(got)
            counts["not told"] += len(matrix.world.of(collection)) - len(wanted)
            counts["listeners"] += 1


if __name__ == "__main__":
    harness.main()
