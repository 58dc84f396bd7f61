#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Postgres is killed, restarted or hangs while clients read and write records: requests that cannot be served get 503
with Retry-After, the program recovers without a restart, nothing is written partially, and a write with an
Idempotency-Key is executed once however often it is sent."""

import collections
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import unittest
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402

LEDGER = f"""integreat: 1
app: ledger
title: Ledger
project: ledger-of-the-tests
roles: [clerk, admin]
limit: {manifests.UNLIMITED}
tenant_limit: {manifests.UNLIMITED}
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
RECOVERY_TIMEOUT_SECONDS = 30


class Worker(threading.Thread):
    """Creates and reads records, one request after the other; each request must succeed or fail as a whole."""

    def __init__(self, test, number: int) -> None:
        super().__init__()
        self.test, self.label = test, f"worker{number}"
        self.stopping = threading.Event()
        self.statuses: collections.Counter = collections.Counter()
        self.sent: dict[str, int | None] = {}  # The label of each bulk request and the status of its response.
        self.errors: list[str] = []
        self.slowest = 0.0

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            label = f"{self.label}-{number}"
            number += 1
            if number % 3 == 0:
                self.sent[label] = self.create_lines(label)
            else:
                self.send("GET", "/entries?limit=20")
                self.send("POST", "/entries", {"label": label, "amount": {"amount": 1}})

    def create_lines(self, label: str) -> int | None:
        lines = [{"entry": self.test.entry, "label": label, "amount": {"amount": 1}}] * BULK
        return self.send("POST", "/lines", lines)

    def send(self, method: str, path: str, body=None) -> int | None:
        began = time.monotonic()
        try:
            response = self.test.send(method, path, body)
        except (OSError, http.client.HTTPException) as error:
            self.errors.append(f"{method} {path}: {error!r}")
            return None
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.statuses[response.status] += 1
        if response.status == 503:
            problem = response.json()
            if not response.headers["Retry-After"] or "/problems/" not in problem["type"]:
                self.errors.append(f"{method} {path}: 503 without Retry-After or type: {response.body!r}")
            time.sleep(0.02)
        elif response.status not in (200, 201):
            self.errors.append(f"{method} {path}: {response.status} {response.body[:300]!r}")
        return response.status


def backends(program: harness.Program, database: str) -> list[int]:
    """Returns the server processes of one database of the program."""
    found = []
    for pid, name in harness.process_tree(program.pid).items():
        title = (
            Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace") if name == "postgres" else ""
        )
        if f" {database} " in title.replace("\0", " "):
            found.append(pid)
    return found


class PostgresOutage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = harness.make_folder()
        (folder / "ledger.yaml").write_text(LEDGER)
        (folder / "clinic.yaml").write_text(manifests.CLINIC)
        cls.program = harness.Program(apps=folder).start()
        cls.token = cls.program.token("ledger", "clerk")
        parent = cls.send("POST", "/entries", {"label": "parent"})
        assert parent.status == 201, parent.body
        cls.entry = parent.json()["id"]

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    @classmethod
    def send(cls, method: str, path: str, body=None, **headers) -> harness.Response:
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
        pid_file = self.program.data_folder / "postgres" / "data" / "postmaster.pid"
        return int(pid_file.read_text().splitlines()[0])

    def inject_during_traffic(self, fault, workers: int = 4) -> list[Worker]:
        """Calls `fault()` while workers send requests, and ends 1.5 s after a list has succeeded again."""
        running = [Worker(self, number) for number in range(workers)]
        for worker in running:
            worker.label = f"{self.id().rpartition('.')[2]}-{worker.label}"
            worker.start()
        try:
            time.sleep(1.5)
            fault()
            began = time.monotonic()
            harness.wait_until(
                lambda: self.send("GET", "/entries?limit=1").status == 200,
                RECOVERY_TIMEOUT_SECONDS,
                "a list succeeds",
            )
            self.recovery_seconds = time.monotonic() - began
            time.sleep(1.5)
        finally:
            for worker in running:
                worker.stopping.set()
            for worker in running:
                worker.join(120)
        return running

    def expect_all_or_none(self, running: list[Worker]) -> None:
        statuses = sum((worker.statuses for worker in running), collections.Counter())
        sent = {label: status for worker in running for label, status in worker.sent.items()}
        slowest = max(worker.slowest for worker in running)
        print(
            f"\n{self.id().rpartition('.')[2]}: {dict(statuses)}, {len(sent)} times {BULK} lines, slowest "
            f"{slowest:.1f} s, recovered after {self.recovery_seconds:.1f} s"
        )
        self.assertEqual([error for worker in running for error in worker.errors][:5], [])
        self.assertGreater(statuses[201], 10)
        counts = dict(
            line.split("|")
            for line in self.sql("SELECT label, count(*) FROM data.lines GROUP BY 1").split("\n")
        )
        for label, status in sent.items():
            count = int(counts.get(label, 0))
            if status == 201:
                self.assertEqual(count, BULK, f"{label} was accepted")
            else:  # Stored or not, but never partially.
                self.assertIn(count, (0, BULK), f"{label} got status {status}")
        # Aggregates of the parent and the history were written in the same transactions.
        lines = self.sql("SELECT count(*) || '|' || coalesce(sum(amount), 0) FROM data.lines")
        self.assertEqual(
            self.sql(f"SELECT lines || '|' || total FROM data.entries WHERE id = '{self.entry}'"), lines
        )
        for table in ("entries", "lines"):
            recorded = self.sql(
                f"SELECT count(DISTINCT record) FROM integreat.changes WHERE collection = '{table}' "
                "AND action = 'create'"
            )
            self.assertEqual(recorded, self.sql(f"SELECT count(*) FROM data.{table}"), f"history of {table}")

    def test_a_killed_backend_is_replaced(self):
        def fault():
            pids = self.sql(
                "SELECT pid FROM pg_stat_activity WHERE datname = 'tenant_ledger' AND pid <> pg_backend_pid()"
            )
            os.kill(int(pids.split()[0]), signal.SIGKILL)

        self.expect_all_or_none(self.inject_during_traffic(fault))

    def test_terminated_connections_are_replaced(self):
        def fault():
            for _ in range(5):
                self.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'tenant_ledger' "
                    "AND pid <> pg_backend_pid()",
                    "postgres",
                )
                time.sleep(0.2)

        self.expect_all_or_none(self.inject_during_traffic(fault))

    def test_a_killed_server_is_restarted(self):
        before = self.postmaster()
        self.expect_all_or_none(self.inject_during_traffic(lambda: os.kill(before, signal.SIGKILL)))
        self.assertNotEqual(self.postmaster(), before)

    def test_a_server_that_ends_is_restarted(self):
        before = self.postmaster()
        self.expect_all_or_none(self.inject_during_traffic(lambda: os.kill(before, signal.SIGINT)))
        self.assertNotEqual(self.postmaster(), before)

    def test_requests_to_a_hanging_server_time_out(self):
        def fault():
            server = self.postmaster()
            frozen = [pid for pid, name in harness.process_tree(server).items() if name.startswith("postgres")]
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            try:
                began = time.monotonic()
                response = self.send("GET", "/entries?limit=1")
                elapsed = time.monotonic() - began
                self.assertEqual(response.status, 503, response.body)
                self.assertTrue(response.headers["Retry-After"])
                self.assertLess(elapsed, 25)
                print(f"\na list while Postgres hangs: 503 after {elapsed:.1f} s")
            finally:
                for pid in frozen:
                    os.kill(pid, signal.SIGCONT)

        self.expect_all_or_none(self.inject_during_traffic(fault))

    def test_a_request_for_a_locked_record_times_out(self):
        """Another session holds the lock: the change is refused in time, has no effect later, and reads succeed."""
        holder = subprocess.Popen(
            harness.PSQL,
            env=self.program.database("tenant_ledger"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        harness.kill_at_exit(holder)
        entry = self.send("POST", "/entries", {"label": f"locked {uuid.uuid4()}"}).json()
        holder.stdin.write(f"BEGIN; SELECT id FROM data.entries WHERE id = '{entry['id']}' FOR UPDATE;\n")
        holder.stdin.flush()
        self.assertEqual(holder.stdout.readline().strip(), entry["id"])
        began = time.monotonic()
        response = self.send("PATCH", f"/entries/{entry['id']}", {"amount": {"amount": 5}})
        elapsed = time.monotonic() - began
        self.assertEqual(response.status, 503, response.body)
        self.assertTrue(response.headers["Retry-After"])
        self.assertLess(elapsed, 25)
        self.assertEqual(self.send("GET", f"/entries/{entry['id']}").json()["version"], 1)
        holder.stdin.close()
        holder.wait(30)
        holder.stdout.close()
        self.assertEqual(self.send("GET", f"/entries/{entry['id']}").json()["version"], 1)
        self.assertEqual(self.send("PATCH", f"/entries/{entry['id']}", {"amount": {"amount": 5}}).status, 200)
        print(f"\na change of a locked record: 503 after {elapsed:.1f} s")


    def send_to_clinic(self, method, path, body=None, role="nurse", **headers) -> harness.Response:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        token = self.program.token("clinic", role)
        return self.program.call(method, "/v1/apps/clinic" + path, token=token, body=body, headers=headers)

    def test_idempotent_writes_survive_killed_backends(self):
        # Also signs the nurse in before the threads start.
        harness.wait_until(
            lambda: self.send_to_clinic("GET", "/visits").status == 200, 20, "the clinic is available"
        )
        doctor = self.send_to_clinic("POST", "/doctors", {"name": "Dr. Reyes"}, role="admin")
        self.assertEqual(doctor.status, 201, doctor.body)
        created, refused, errors = [], [], []
        stopping = threading.Event()

        def write(worker):
            number = 0
            while not stopping.is_set():
                number += 1
                note = f"worker{worker} number{number}"
                key = str(uuid.uuid4())
                deadline = time.monotonic() + 40
                while time.monotonic() < deadline:
                    response = self.send_to_clinic(
                        "POST",
                        "/visits",
                        {"doctor": doctor.json()["id"], "day": "2026-12-01", "notes": note},
                        Idempotency_Key=key,
                    )
                    if response.status == 201:
                        created.append((note, response.json()["id"]))
                        break
                    if response.status == 503 and response.headers["Retry-After"]:
                        refused.append(note)
                    elif response.status != 409 or not response.json()["type"].endswith(
                        "/problems/idempotency-key-in-use"
                    ):
                        errors.append((response.status, response.body[:300]))
                    time.sleep(0.05)
                else:
                    errors.append(("never stored", note))

        def read():
            while not stopping.is_set():
                response = self.send_to_clinic("GET", "/visits?limit=5")
                if response.status not in (200, 503):
                    errors.append((response.status, response.body[:300]))

        threads = [threading.Thread(target=write, args=(worker,)) for worker in range(3)]
        threads.append(threading.Thread(target=read))
        for thread in threads:
            thread.start()
        for _ in range(3):
            time.sleep(1)
            # A killed backend makes the server end all others and recover from its log.
            for pid in backends(self.program, "tenant_clinic")[:1]:
                os.kill(pid, signal.SIGKILL)
        time.sleep(3)
        stopping.set()
        for thread in threads:
            thread.join(60)
        self.assertEqual(errors, [])
        self.assertGreater(len(created), 20)
        harness.wait_until(
            lambda: self.send_to_clinic("GET", "/visits").status == 200, 20, "the database is back"
        )
        stored, after = {}, ""
        while True:
            page = self.send_to_clinic("GET", f"/visits?limit=200&fields=id,notes&sort=id{after}").json()
            for item in page["items"]:
                self.assertNotIn(item["notes"], stored, "stored twice")
                stored[item["notes"]] = item["id"]
            if not page["next"]:
                break
            after = "&next=" + page["next"]
        self.assertEqual(stored, dict(created))
        print(f"\n{len(created)} records, {len(refused)} refusals during the outages")


if __name__ == "__main__":
    harness.main()
