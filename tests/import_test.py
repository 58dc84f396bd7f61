#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Imports of tables that are much larger than what the program holds: streamed, all or none, with limits of their own.

ROWS=200000 in the environment makes the large one as large as the default limit, and prints what it took."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import threading
import time
import unittest
from pathlib import Path
from urllib.parse import urlsplit

import harness

ROWS = int(os.environ.get("ROWS", "12000"))
WIDE = "x" * (1500 if ROWS < 100_000 else 100)
MANIFEST = """app: %s
title: Depot
project: %s-of-the-tests
roles: [keeper, visitor]
limit: { requests: 10000000, window: 1s, burst: 1000000 }
tenant_limit: { requests: 10000000, window: 1s, burst: 1000000 }
collections:
  items:
    title: Item
    fields:
      number: {type: integer, required: true, unique: true}
      price: {type: money}
      note: {type: text, length_max: 2000}
    access:
      read: [{roles: [keeper]}]
      create: [{roles: [keeper]}]
"""
SETTINGS = """imports:
  {bytes_max: 48MiB, records_max: 200000, at_once: 1, coming_at_once: 3, folder: %s}
"""


def table(first: int, count: int, last: str = ""):
    """The lines in pieces of about 64 KiB, as a chunked body."""
    piece = ["number,price,note\r\n"]
    for number in range(first, first + count):
        piece.append(f"{number},{number}.05,{WIDE}\r\n")
        if len(piece) * len(WIDE) > 65536:
            yield "".join(piece).encode()
            piece = []
    yield ("".join(piece) + last).encode()


class Import(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        apps = harness.make_folder()
        for app in ["depot", "shed"]:
            (apps / f"{app}.yaml").write_text(MANIFEST % (app, app))
        cls.spools = harness.make_folder()
        # What a sanitizer keeps of freed memory is not what the program holds.
        quarantine = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=2:thread_local_quarantine_size_kb=64"
        cls.program = harness.Program(
            apps=apps, settings=SETTINGS % cls.spools, environment={"ASAN_OPTIONS": quarantine}
        ).start()

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    def send(self, body, role: str = "keeper", app: str = "depot", **headers):
        where = urlsplit(self.program.gateway)
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=300)
        fields = {
            "Authorization": f"Bearer {self.program.token(app, role)}",
            "Content-Type": "text/csv",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        connection.request("POST", f"/v1/apps/{app}/items/import", body=body, headers=fields)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, json.loads(content), answer.headers

    def begin(self, length: int) -> socket.socket:
        """An import of so many bytes, of which none has been sent."""
        where = urlsplit(self.program.gateway)
        client = socket.create_connection((where.hostname, where.port), timeout=20)
        client.sendall(
            b"POST /v1/apps/depot/items/import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
            b"Authorization: Bearer " + self.program.token("depot", "keeper").encode() + b"\r\n"
            b"Content-Length: %d\r\n\r\n" % length
        )
        return client

    def spooled(self) -> int:
        """How many bodies lie on the disk. Their files have no names there: the program's own list has them."""
        files = 0
        for one in Path(f"/proc/{self.program.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                files += os.readlink(one).startswith(f"{self.spools}/")
        return files

    @contextlib.contextmanager
    def locked(self):
        """Whoever reads or writes items of the depot waits until the end of this."""
        environment = self.program.database("tenant_depot")
        with subprocess.Popen(
            harness.PSQL, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        ) as holder:
            holder.stdin.write("BEGIN; LOCK TABLE data.items; SELECT 'locked';\n")
            holder.stdin.flush()
            self.assertEqual(holder.stdout.readline(), "locked\n")
            yield
            holder.stdin.close()

    def waiting(self) -> int:
        question = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        environment = self.program.database("tenant_depot")
        return int(subprocess.check_output([*harness.PSQL, "-c", question], env=environment, timeout=20))

    def count(self) -> int:
        answer = self.program.call(
            "GET", "/v1/apps/depot/items/aggregate", token=self.program.token("depot", "keeper")
        )
        return answer.json()["items"][0]["count"]

    def peak_kib(self) -> int:
        for line in Path(f"/proc/{self.program.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
        raise AssertionError("no VmHWM")

    def test_a_large_table_costs_no_more_memory_than_a_small_one(self):
        self.assertEqual(self.send(table(10_000_000, 2_000))[:2], (201, {"imported": 2_000}))
        before, began = self.peak_kib(), time.monotonic()
        status, answer, _ = self.send(table(0, ROWS))
        self.assertEqual((status, answer), (201, {"imported": ROWS}))
        grown = self.peak_kib() - before
        size = ROWS * (len(WIDE) + 16) // 1024
        print(f"{ROWS} records, {size} KiB: {time.monotonic() - began:.1f} s, peak memory + {grown} KiB")
        self.assertLess(grown, size // 2)
        self.assertEqual(list(self.spools.iterdir()), [])

    def test_a_mistake_in_the_last_line_stores_nothing(self):
        before = self.count()
        status, answer, _ = self.send(table(20_000_000, 3_000, "20009000,1.005,x\r\n"))
        self.assertEqual(status, 400)
        self.assertEqual([one["pointer"] for one in answer["errors"]], ["line 3002, price"])
        self.assertEqual(self.send(table(21_000_000, 3_000, "21000007,1,x\r\n21000008,1,x\r\n"))[0], 409)
        status, answer, _ = self.send(table(21_000_000, 3_000, "21000007,1,x\r\n21000008,1,x\r\n"))
        self.assertEqual([one["pointer"] for one in answer["errors"]], ["line 3002, number", "line 3003, number"])
        self.assertEqual(self.count(), before)

    def test_a_key_makes_an_import_once(self):
        first = self.send(table(30_000_000, 1_000), Idempotency_Key="one-import")
        again = self.send(table(30_000_000, 1_000), Idempotency_Key="one-import")
        self.assertEqual((first[0], first[1]), (201, {"imported": 1_000}))
        self.assertEqual((again[0], again[1]), (201, {"imported": 1_000}))
        self.assertEqual(again[2]["Idempotent-Replayed"], "true")
        other = self.send(table(30_000_001, 1_000), Idempotency_Key="one-import")
        self.assertEqual((other[0], other[1]["type"]), (422, "/problems/idempotency-key-reused"))

    def test_what_is_too_large_or_of_another_type_is_refused_before_it_comes(self):
        self.assertEqual(self.send(b"number\r\n1\r\n", role="visitor")[0], 403)
        self.assertEqual(self.send(b"{}", Content_Type="application/json")[0], 415)
        with self.begin(50331649) as client:
            self.assertIn(b" 413 ", client.recv(4096).split(b"\r\n")[0])

    def test_who_leaves_midway_leaves_nothing(self):
        before = self.count()
        with self.begin(2_000_000) as client:
            client.sendall(b"number\r\n" + b"".join(b"4%07d\r\n" % i for i in range(100_000)))
            harness.wait_until(lambda: self.spooled() == 1, 10, "the body on the disk")
            self.assertEqual(list(self.spools.iterdir()), [])
        harness.wait_until(lambda: self.spooled() == 0, 10, "the body to be gone")
        self.assertEqual(self.count(), before)

    def test_an_app_has_so_many_bodies_on_the_disk_and_another_has_its_own(self):
        with contextlib.ExitStack() as clients:
            for number in range(1, 4):
                clients.enter_context(self.begin(2_000_000)).sendall(b"x" * 1_000_000)
                harness.wait_until(lambda most=number: self.spooled() == most, 10, "the body on the disk")
            status, answer, headers = self.send(b"number\r\n50000000\r\n")
            self.assertEqual((status, answer["type"], headers["Retry-After"]), (429, "/problems/limit-reached", "10"))
            self.assertIn("on their way", answer["detail"])
            self.assertEqual(self.spooled(), 3)
            self.assertEqual(self.send(b"number\r\n1\r\n", app="shed")[0], 201)
        harness.wait_until(lambda: self.spooled() == 0, 10, "the bodies to be gone")
        self.assertEqual(self.send(b"number\r\n50000000\r\n")[0], 201)

    def test_an_import_that_runs_counts_when_the_configuration_is_read_again(self):
        generation = self.program.metrics()["integreat_snapshot_generation"]
        told = []
        first = threading.Thread(target=lambda: told.append(self.send(b"number\r\n60000000\r\n")[0]))
        with self.locked():
            first.start()
            harness.wait_until(lambda: self.waiting() == 1, 20, "the first import to wait for the table")
            self.program.reload()
            harness.wait_until(
                lambda: self.program.metrics()["integreat_snapshot_generation"] > generation, 20, "the reload"
            )
            status, answer, _ = self.send(b"number\r\n60000001\r\n")
            self.assertEqual((status, answer["type"]), (429, "/problems/limit-reached"))
            self.assertIn("run as may at once", answer["detail"])
        first.join(60)
        self.assertEqual(told, [201])
        self.assertEqual(self.send(b"number\r\n60000001\r\n")[0], 201)


if __name__ == "__main__":
    harness.main()
