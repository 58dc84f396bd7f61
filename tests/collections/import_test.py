#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Imports of tables larger than the memory for them: streamed, all or nothing, with limits of their own.

ROWS=200000 in the environment makes the large table as large as the default limit; its time and memory are printed."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402

ROWS = int(os.environ.get("ROWS", "12000"))
WIDE = "x" * (1500 if ROWS < 100_000 else 100)
MANIFEST = """integreat: 1
app: %s
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
      note: {type: text, max_length: 2000}
    access:
      read: [{roles: [keeper]}]
      create: [{roles: [keeper]}]
"""
SETTINGS = """imports:
  {max_bytes: 48MiB, max_records: 200000, max_concurrent: 1, max_pending: 3, max_pending_per_principal: 4, folder: %s}
"""


def table(first: int, count: int, last: str = ""):
    """Yields the lines of a table in chunks of about 64 KiB."""
    chunk = ["number,price,note\r\n"]
    for number in range(first, first + count):
        chunk.append(f"{number},{number}.05,{WIDE}\r\n")
        if len(chunk) * len(WIDE) > 65536:
            yield "".join(chunk).encode()
            chunk = []
    yield ("".join(chunk) + last).encode()


class Import(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        apps = harness.make_folder()
        for app in ["depot", "shed"]:
            (apps / f"{app}.yaml").write_text(MANIFEST % (app, app))
        cls.spools = harness.make_folder()
        # Freed memory in the quarantine of the sanitizer would count as memory of the program.
        quarantine = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=2:thread_local_quarantine_size_kb=64"
        cls.program = harness.Program(
            apps=apps, settings=SETTINGS % cls.spools, environment={"ASAN_OPTIONS": quarantine}
        ).start()

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    def send(self, body, role: str = "keeper", app: str = "depot", **headers):
        url = urlsplit(self.program.gateway)
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=300)
        fields = {
            "Authorization": f"Bearer {self.program.token(app, role)}",
            "Content-Type": "text/csv",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        connection.request("POST", f"/v1/apps/{app}/items/import", body=body, headers=fields)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, json.loads(content), response.headers

    def begin(self, length: int) -> socket.socket:
        """Starts an import with this Content-Length, without sending the body."""
        url = urlsplit(self.program.gateway)
        client = socket.create_connection((url.hostname, url.port), timeout=20)
        client.sendall(
            b"POST /v1/apps/depot/items/import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
            b"Authorization: Bearer " + self.program.token("depot", "keeper").encode() + b"\r\n"
            b"Content-Length: %d\r\n\r\n" % length
        )
        return client

    def spooled_bodies(self) -> int:
        """Returns the number of bodies on disk: their files are unlinked but in the open descriptors of the program."""
        files = 0
        for one in Path(f"/proc/{self.program.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                files += os.readlink(one).startswith(f"{self.spools}/")
        return files

    @contextlib.contextmanager
    def locked_table(self):
        """Locks the items of the depot: queries of other sessions wait until the end of the context."""
        environment = self.program.database("tenant_depot")
        with subprocess.Popen(
            harness.PSQL, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        ) as holder:
            holder.stdin.write("BEGIN; LOCK TABLE data.items; SELECT 'locked';\n")
            holder.stdin.flush()
            self.assertEqual(holder.stdout.readline(), "locked\n")
            yield
            holder.stdin.close()

    def blocked_queries(self) -> int:
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        environment = self.program.database("tenant_depot")
        return int(subprocess.check_output([*harness.PSQL, "-c", query], env=environment, timeout=20))

    def count(self) -> int:
        response = self.program.call(
            "GET", "/v1/apps/depot/items/aggregate", token=self.program.token("depot", "keeper")
        )
        return response.json()["items"][0]["count"]

    def peak_kib(self) -> int:
        for line in Path(f"/proc/{self.program.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
        raise AssertionError("no VmHWM")

    def test_a_large_table_needs_no_more_memory_than_a_small_one(self):
        self.assertEqual(self.send(table(10_000_000, 2_000))[:2], (201, {"imported": 2_000}))
        before, began = self.peak_kib(), time.monotonic()
        status, response, _ = self.send(table(0, ROWS))
        self.assertEqual((status, response), (201, {"imported": ROWS}))
        growth = self.peak_kib() - before
        size = ROWS * (len(WIDE) + 16) // 1024
        print(f"{ROWS} records, {size} KiB: {time.monotonic() - began:.1f} s, peak memory + {growth} KiB")
        self.assertLess(growth, size // 2)
        self.assertEqual(list(self.spools.iterdir()), [])

    def test_an_error_in_the_last_line_stores_nothing(self):
        before = self.count()
        status, response, _ = self.send(table(20_000_000, 3_000, "20009000,1.005,x\r\n"))
        self.assertEqual(status, 400)
        self.assertEqual([one["pointer"] for one in response["errors"]], ["line 3002, price"])
        self.assertEqual(self.send(table(21_000_000, 3_000, "21000007,1,x\r\n21000008,1,x\r\n"))[0], 409)
        status, response, _ = self.send(table(21_000_000, 3_000, "21000007,1,x\r\n21000008,1,x\r\n"))
        self.assertEqual([one["pointer"] for one in response["errors"]], ["line 3002, number", "line 3003, number"])
        self.assertEqual(self.count(), before)

    def test_an_idempotency_key_executes_one_import(self):
        first = self.send(table(30_000_000, 1_000), Idempotency_Key="one-import")
        again = self.send(table(30_000_000, 1_000), Idempotency_Key="one-import")
        self.assertEqual((first[0], first[1]), (201, {"imported": 1_000}))
        self.assertEqual((again[0], again[1]), (201, {"imported": 1_000}))
        self.assertEqual(again[2]["Idempotent-Replayed"], "true")
        other = self.send(table(30_000_001, 1_000), Idempotency_Key="one-import")
        self.assertEqual((other[0], other[1]["type"].rpartition("/")[2]), (422, "idempotency-key-reused"))

    def test_a_body_that_is_too_large_or_of_another_type_is_refused_before_it_is_sent(self):
        self.assertEqual(self.send(b"number\r\n1\r\n", role="visitor")[0], 403)
        self.assertEqual(self.send(b"{}", Content_Type="application/json")[0], 415)
        with self.begin(50331649) as client:
            self.assertIn(b" 413 ", client.recv(4096).split(b"\r\n")[0])

    def test_an_aborted_upload_leaves_nothing(self):
        before = self.count()
        with self.begin(2_000_000) as client:
            client.sendall(b"number\r\n" + b"".join(b"4%07d\r\n" % i for i in range(100_000)))
            harness.wait_until(lambda: self.spooled_bodies() == 1, 10, "the body is on disk")
            self.assertEqual(list(self.spools.iterdir()), [])
        harness.wait_until(lambda: self.spooled_bodies() == 0, 10, "the body is deleted")
        self.assertEqual(self.count(), before)

    def test_each_app_has_a_limit_of_bodies_on_disk(self):
        with contextlib.ExitStack() as clients:
            for number in range(1, 4):
                clients.enter_context(self.begin(2_000_000)).sendall(b"x" * 1_000_000)
                harness.wait_until(lambda expected=number: self.spooled_bodies() == expected, 10, "the body is on disk")
            status, response, headers = self.send(b"number\r\n50000000\r\n")
            self.assertEqual((status, response["type"].rpartition("/")[2], headers["Retry-After"]), (429, "limit-reached", "10"))
            self.assertIn("imports.max_pending)", response["detail"])
            self.assertEqual(self.spooled_bodies(), 3)
            self.assertEqual(self.send(b"number\r\n1\r\n", app="shed")[0], 201)
        harness.wait_until(lambda: self.spooled_bodies() == 0, 10, "the bodies are deleted")
        self.assertEqual(self.send(b"number\r\n50000000\r\n")[0], 201)

    def test_a_running_import_counts_after_a_reload(self):
        generation = self.program.metrics()["integreat_snapshot_generation"]
        statuses = []
        first = threading.Thread(target=lambda: statuses.append(self.send(b"number\r\n60000000\r\n")[0]))
        with self.locked_table():
            first.start()
            harness.wait_until(lambda: self.blocked_queries() == 1, 20, "the first import waits for the table")
            self.program.reload()
            harness.wait_until(
                lambda: self.program.metrics()["integreat_snapshot_generation"] > generation, 20, "the configuration is reloaded"
            )
            status, response, _ = self.send(b"number\r\n60000001\r\n")
            self.assertEqual((status, response["type"].rpartition("/")[2]), (429, "limit-reached"))
            self.assertIn("imports.max_concurrent)", response["detail"])
        first.join(60)
        self.assertEqual(statuses, [201])
        self.assertEqual(self.send(b"number\r\n60000001\r\n")[0], 201)


if __name__ == "__main__":
    harness.main()
