#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Imports of tables that are much larger than what the program holds: streamed, all or none, with limits of their own.

ROWS=200000 in the environment makes the large one as large as the default limit, and prints what it took."""

import http.client
import json
import os
import socket
import time
import unittest
from pathlib import Path
from urllib.parse import urlsplit

import harness

ROWS = int(os.environ.get("ROWS", "12000"))
WIDE = "x" * (1500 if ROWS < 100_000 else 100)
MANIFEST = """app: depot
title: Depot
project: depot-of-the-tests
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
SETTINGS = "imports: {bytes_max: 48MiB, records_max: 200000, folder: %s}\n"


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
        (apps / "depot.yaml").write_text(MANIFEST)
        cls.spools = harness.make_folder()
        # What a sanitizer keeps of freed memory is not what the program holds.
        quarantine = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=2:thread_local_quarantine_size_kb=64"
        cls.program = harness.Program(
            apps=apps, settings=SETTINGS % cls.spools, environment={"ASAN_OPTIONS": quarantine}
        ).start()

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    def send(self, body, role: str = "keeper", **headers):
        where = urlsplit(self.program.gateway)
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=300)
        fields = {
            "Authorization": f"Bearer {self.program.token('depot', role)}",
            "Content-Type": "text/csv",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        connection.request("POST", "/v1/apps/depot/items/import", body=body, headers=fields)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, json.loads(content), answer.headers

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
        where = urlsplit(self.program.gateway)
        with socket.create_connection((where.hostname, where.port), timeout=20) as client:
            client.sendall(
                b"POST /v1/apps/depot/items/import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
                b"Authorization: Bearer " + self.program.token("depot", "keeper").encode() + b"\r\n"
                b"Content-Length: 50331649\r\n\r\n"
            )
            self.assertIn(b" 413 ", client.recv(4096).split(b"\r\n")[0])

    def test_who_leaves_midway_leaves_nothing(self):
        before = self.count()
        where = urlsplit(self.program.gateway)
        with socket.create_connection((where.hostname, where.port), timeout=20) as client:
            client.sendall(
                b"POST /v1/apps/depot/items/import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
                b"Authorization: Bearer " + self.program.token("depot", "keeper").encode() + b"\r\n"
                b"Content-Length: 2000000\r\n\r\nnumber\r\n" + b"".join(b"4%07d\r\n" % i for i in range(100_000))
            )
        harness.wait_until(lambda: not list(self.spools.iterdir()), 10, "the spool to be gone")
        self.assertEqual(self.count(), before)


if __name__ == "__main__":
    harness.main()
