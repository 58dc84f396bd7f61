#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""All callers of isolation_test.py subscribe to the change feed of every collection while each of its records changes:
a subscriber gets the events of all records that they can read, with the members that they can read, and no others."""

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

DELIVERY_TIMEOUT_SECONDS = 20
QUIET_SECONDS = 0.7  # Time after the last expected event in which no other may arrive.


class Subscriber(threading.Thread):
    """Reads the events of one change feed."""

    def __init__(self, gateway: str, path: str, caller: Caller) -> None:
        super().__init__(daemon=True)
        url = urlsplit(gateway)
        self.caller = caller
        self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
        headers = {"Authorization": f"Bearer {caller.token}"} if caller.token else {}
        self.connection.request("GET", path, headers={**headers, "Accept": "text/event-stream"})
        self.response = self.connection.getresponse()
        self.events: list[tuple[str, dict]] = []

    def run(self) -> None:
        event = ""
        try:
            while line := self.response.readline():
                text = line.decode().rstrip("\r\n")
                if text.startswith("event: "):
                    event = text.removeprefix("event: ")
                elif text.startswith("data: "):
                    self.events.append((event, json.loads(text.removeprefix("data: "))))
        except (OSError, ValueError, http.client.HTTPException, AttributeError):
            return  # Closed by close().

    def ids(self) -> list[str]:
        return [data["id"] for _, data in list(self.events) if "id" in data]

    def close(self) -> None:
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

    def test_subscribers_get_events_of_readable_records_only(self):
        counts: collections.Counter = collections.Counter()
        for name in APPS:
            matrix = Matrix(self.program, name)
            self.addCleanup(matrix.superuser.close)
            matrix.prepare()
            for collection in matrix.app.collections:
                self.assertIn(("GET", "/changes"), matrix.routes[collection])
                self.check_feed(matrix, collection, counts)
        print(f"\n{dict(counts)}")

    def check_feed(self, matrix: Matrix, collection: str, counts: collections.Counter) -> None:
        subscribers: list[tuple[Subscriber, Caller]] = []
        path = f"/v1/apps/{matrix.app.name}/{collection}/changes"
        for caller in matrix.callers:
            identity, refusals = matrix.check_route(collection, "read", caller)
            subscriber = Subscriber(self.program.gateway, path, caller)
            if refusals:
                self.assertIn(subscriber.response.status, refusals, f"{caller.name} {path}")
                subscriber.connection.close()
                counts["refused"] += 1
                continue
            if subscriber.response.status != 200:
                self.fail(f"{caller.name} {path}: {subscriber.response.status} {subscriber.response.read(300)}")
            subscriber.start()
            subscribers.append((subscriber, identity))
        time.sleep(0.1)  # Until all subscribers are registered.
        matrix.superuser.run(f'UPDATE data."{collection}" SET version = version + 1')
        expected = [
            {
                one.id
                for one in matrix.records.in_collection(collection)
                if matrix.app.can_read(one, identity, matrix.records)
            }
            for _, identity in subscribers
        ]
        deadline = time.monotonic() + DELIVERY_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if all(ids <= set(one.ids()) for (one, _), ids in zip(subscribers, expected, strict=True)):
                break
            time.sleep(0.05)
        time.sleep(QUIET_SECONDS)
        for (subscriber, identity), ids in zip(subscribers, expected, strict=True):
            subscriber.close()
            what = f"{subscriber.caller.name} {path}"
            received = subscriber.ids()
            self.assertEqual(set(received) - ids, set(), f"{what} gets events of records it cannot read")
            self.assertEqual(ids - set(received), set(), f"{what} misses events of records it can read")
            members = matrix.app.visible_members(collection, identity)
            for event, data in subscriber.events:
                self.assertLessEqual(set(data), members, f"{what}: {event}")
            counts["delivered"] += len(received)
            counts["withheld"] += len(matrix.records.in_collection(collection)) - len(ids)
            counts["subscribers"] += 1


if __name__ == "__main__":
    harness.main()
