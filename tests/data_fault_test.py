#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Postgres is restarted, killed or hangs while records are read and written: whoever cannot be served is told so
with a 503 and when to come again, all is well again without a restart of the program, and nothing is half-written."""

import collections
import http.client
import json
import os
import signal
import subprocess
import threading
import time
import unittest
import uuid

import apps
import harness

MANIFEST = f"""app: ledger
title: Ledger
project: ledger-of-the-tests
roles: [clerk, admin]
limit: {apps.HIGH}
tenant_limit: {apps.HIGH}
collections:
  entries:
    title: Entry
    fields:
      label: {{type: text, indexed: true}}
      amount: {{type: money}}
      lines: {{type: integer, computed: "count(lines[entry])"}}
      total: {{type: money, computed: "sum(lines[entry].amount)"}}
    states: {{initial: open, names: [open, booked]}}
    transitions:
      book: {{from: [open], to: booked, allow: [{{roles: [clerk]}}]}}
    access:
      read: [{{roles: [clerk, admin]}}]
      create: [{{roles: [clerk]}}]
      update: [{{roles: [clerk]}}]
      delete: [{{roles: [clerk]}}]
  lines:
    title: Line
    fields:
      entry: {{type: reference, to: entries, required: true}}
      label: {{type: text, indexed: true}}
      amount: {{type: money, required: true}}
    access:
      read: [{{roles: [clerk, admin]}}]
      create: [{{roles: [clerk]}}]
"""
BULK = 1000
SECONDS_MAX = 30  # Until all is well again.


class Worker(threading.Thread):
    """Makes, changes and reads records, one request after the other; each is one all-or-none thing."""

    def __init__(self, test, number: int) -> None:
        super().__init__()
        self.test, self.label = test, f"worker{number}"
        self.stopping = threading.Event()
        self.statuses: collections.Counter = collections.Counter()
        self.sent: dict[str, int | None] = {}  # The label of each bulk, and the status that was answered.
        self.odd: list[str] = []
        self.slowest = 0.0

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            label = f"{self.label}-{number}"
            number += 1
            if number % 3 == 0:
                self.sent[label] = self.bulk(label)
            else:
                self.ask("GET", "/entries?limit=20")
                self.ask("POST", "/entries", {"label": label, "amount": {"amount": 1}})

    def bulk(self, label: str) -> int | None:
        lines = [{"entry": self.test.entry, "label": label, "amount": {"amount": 1}}] * BULK
        return self.ask("POST", "/lines", lines)

    def ask(self, method: str, path: str, body=None) -> int | None:
        began = time.monotonic()
        try:
            answer = self.test.send(method, path, body)
        except (OSError, http.client.HTTPException) as broken:
            self.odd.append(f"{method} {path}: {broken!r}")
            return None
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.statuses[answer.status] += 1
        if answer.status == 503:
            problem = answer.json()
            if not answer.headers["Retry-After"] or not problem["type"].startswith("/problems/"):
                self.odd.append(f"{method} {path}: 503 without Retry-After or type: {answer.body!r}")
            time.sleep(0.02)
        elif answer.status not in (200, 201):
            self.odd.append(f"{method} {path}: {answer.status} {answer.body[:300]!r}")
        return answer.status


class Fault(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = harness.make_folder()
        (folder / "ledger.yaml").write_text(MANIFEST)
        cls.program = harness.Program(apps=folder).start()
        cls.token = cls.program.token("ledger", "clerk")
        made = cls.send("POST", "/entries", {"label": "parent"})
        assert made.status == 201, made.body
        cls.entry = made.json()["id"]

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    @classmethod
    def send(cls, method: str, path: str, body=None, **headers) -> harness.Answer:
        if body is not None:
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        return cls.program.call(
            method, "/v1/apps/ledger" + path, token=cls.token, body=body, headers=headers, timeout=60
        )

    def sql(self, text: str, database: str = "tenant_ledger") -> str:
        done = subprocess.run(
            [*harness.PSQL, "-c", text],
            env=self.program.database(database),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def postmaster(self) -> int:
        place = self.program.data_folder / "postgres" / "data" / "postmaster.pid"
        return int(place.read_text().splitlines()[0])

    def during_traffic(self, blow, workers: int = 4) -> list[Worker]:
        """`blow` strikes in mid-traffic; ends when all is well again and has been for a moment."""
        crew = [Worker(self, number) for number in range(workers)]
        for worker in crew:
            worker.label = f"{self.id().rpartition('.')[2]}-{worker.label}"
            worker.start()
        try:
            time.sleep(1.5)
            blow()
            began = time.monotonic()
            harness.wait_until(
                lambda: self.send("GET", "/entries?limit=1").status == 200, SECONDS_MAX, "a list"
            )
            self.recovered = time.monotonic() - began
            time.sleep(1.5)
        finally:
            for worker in crew:
                worker.stopping.set()
            for worker in crew:
                worker.join(120)
        return crew

    def expect_all_or_none(self, crew: list[Worker]) -> None:
        statuses = sum((worker.statuses for worker in crew), collections.Counter())
        sent = {label: status for worker in crew for label, status in worker.sent.items()}
        slowest = max(worker.slowest for worker in crew)
        print(
            f"\n{self.id().rpartition('.')[2]}: {dict(statuses)}, {len(sent)} times {BULK} lines, slowest "
            f"{slowest:.1f} s, well again after {self.recovered:.1f} s"
        )
        self.assertEqual([odd for worker in crew for odd in worker.odd][:5], [])
        self.assertGreater(statuses[201], 10)
        there = dict(
            line.split("|")
            for line in self.sql("SELECT label, count(*) FROM data.lines GROUP BY 1").split("\n")
        )
        for label, status in sent.items():
            count = int(there.get(label, 0))
            if status == 201:
                self.assertEqual(count, BULK, f"{label} was accepted")
            else:  # Unknown, or not; in no case a part.
                self.assertIn(count, (0, BULK), f"{label} was answered {status}")
        # What belongs together was written together: the sums of the parent, and the history.
        lines = self.sql("SELECT count(*) || '|' || coalesce(sum(amount), 0) FROM data.lines")
        self.assertEqual(
            self.sql(f"SELECT lines || '|' || total FROM data.entries WHERE id = '{self.entry}'"), lines
        )
        for table in ("entries", "lines"):
            noted = self.sql(
                f"SELECT count(DISTINCT record) FROM integreat.changes WHERE collection = '{table}' "
                "AND action = 'create'"
            )
            self.assertEqual(noted, self.sql(f"SELECT count(*) FROM data.{table}"), f"history of {table}")

    def test_a_killed_backend_is_replaced(self):
        def blow():
            pids = self.sql(
                "SELECT pid FROM pg_stat_activity WHERE datname = 'tenant_ledger' AND pid <> pg_backend_pid()"
            )
            os.kill(int(pids.split()[0]), signal.SIGKILL)

        self.expect_all_or_none(self.during_traffic(blow))

    def test_ended_connections_are_made_again(self):
        def blow():
            for _ in range(5):
                self.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'tenant_ledger' "
                    "AND pid <> pg_backend_pid()",
                    "postgres",
                )
                time.sleep(0.2)

        self.expect_all_or_none(self.during_traffic(blow))

    def test_a_killed_server_is_started_again(self):
        before = self.postmaster()
        self.expect_all_or_none(self.during_traffic(lambda: os.kill(before, signal.SIGKILL)))
        self.assertNotEqual(self.postmaster(), before)

    def test_a_server_that_ends_is_started_again(self):
        before = self.postmaster()
        self.expect_all_or_none(self.during_traffic(lambda: os.kill(before, signal.SIGINT)))
        self.assertNotEqual(self.postmaster(), before)

    def test_a_server_that_hangs_is_not_waited_for_without_end(self):
        def blow():
            server = self.postmaster()
            frozen = [pid for pid, name in harness.tree_of(server).items() if name.startswith("postgres")]
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            try:
                began = time.monotonic()
                answer = self.send("GET", "/entries?limit=1")
                took = time.monotonic() - began
                self.assertEqual(answer.status, 503, answer.body)
                self.assertTrue(answer.headers["Retry-After"])
                self.assertLess(took, 25)
                print(f"\na list while Postgres stands still: 503 after {took:.1f} s")
            finally:
                for pid in frozen:
                    os.kill(pid, signal.SIGCONT)

        self.expect_all_or_none(self.during_traffic(blow))

    def test_a_lock_is_waited_for_until_the_deadline_only(self):
        """Somebody holds the record: the change is refused in time, has no effect later, and others are served."""
        holder = subprocess.Popen(
            harness.PSQL,
            env=self.program.database("tenant_ledger"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        harness.end_at_exit(holder)
        made = self.send("POST", "/entries", {"label": f"held {uuid.uuid4()}"}).json()
        holder.stdin.write(f"BEGIN; SELECT id FROM data.entries WHERE id = '{made['id']}' FOR UPDATE;\n")
        holder.stdin.flush()
        self.assertEqual(holder.stdout.readline().strip(), made["id"])
        began = time.monotonic()
        answer = self.send("PATCH", f"/entries/{made['id']}", {"amount": {"amount": 5}})
        took = time.monotonic() - began
        self.assertEqual(answer.status, 503, answer.body)
        self.assertTrue(answer.headers["Retry-After"])
        self.assertLess(took, 25)
        self.assertEqual(self.send("GET", f"/entries/{made['id']}").json()["version"], 1)
        holder.stdin.close()
        holder.wait(30)
        holder.stdout.close()
        self.assertEqual(self.send("GET", f"/entries/{made['id']}").json()["version"], 1)
        self.assertEqual(self.send("PATCH", f"/entries/{made['id']}", {"amount": {"amount": 5}}).status, 200)
        print(f"\na change of a locked record: 503 after {took:.1f} s")


if __name__ == "__main__":
    harness.main()
