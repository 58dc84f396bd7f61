#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The database dies and comes back under traffic: clean refusals meanwhile, no restart of ours, nothing half done, and
what carries an Idempotency-Key happens once however often it is sent."""

import os
import signal
import threading
import time
import unittest
import uuid
from pathlib import Path

import harness
from data_test import MANIFEST


def backends(program: harness.Program, database: str) -> list[int]:
    """Server processes of one database, of our own server only."""
    found = []
    for pid, name in harness.tree_of(program.pid).items():
        title = (
            Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace") if name == "postgres" else ""
        )
        if f" {database} " in title.replace("\0", " "):
            found.append(pid)
    return found


class DataFaults(unittest.TestCase):
    def setUp(self):
        apps = harness.make_folder()
        (apps / "clinic.yaml").write_text(MANIFEST)
        self.program = harness.Program(apps=apps).start()
        self.nurse = self.program.token("clinic", "nurse")
        self.addCleanup(self.program.remove)
        answer = self.send(
            "POST", "/doctors", {"name": "Dr. Reyes"}, token=self.program.token("clinic", "admin")
        )
        self.assertEqual(answer.status, 201, answer.body)
        self.doctor = answer.json()["id"]

    def send(self, method, path, body=None, token="", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.program.call(
            method, "/v1/apps/clinic" + path, token=token or self.nurse, body=body, headers=headers
        )

    def test_killed_backends_cost_nobody_a_record(self):
        made, refused, odd = [], [], []
        over = threading.Event()

        def write(worker):
            number = 0
            while not over.is_set():
                number += 1
                note = f"worker{worker} number{number}"
                key = str(uuid.uuid4())
                until = time.monotonic() + 40
                while time.monotonic() < until:
                    answer = self.send(
                        "POST",
                        "/visits",
                        {"doctor": self.doctor, "day": "2026-12-01", "notes": note},
                        Idempotency_Key=key,
                    )
                    if answer.status == 201:
                        made.append((note, answer.json()["id"]))
                        break
                    if answer.status == 503 and answer.headers["Retry-After"]:
                        refused.append(note)
                    elif answer.status != 409 or answer.json()["type"] != "/problems/idempotency-key-in-use":
                        odd.append((answer.status, answer.body[:300]))
                    time.sleep(0.05)
                else:
                    odd.append(("never stored", note))

        def read():
            while not over.is_set():
                answer = self.send("GET", "/visits?limit=5")
                if answer.status not in (200, 503):
                    odd.append((answer.status, answer.body[:300]))

        threads = [threading.Thread(target=write, args=(worker,)) for worker in range(3)]
        threads.append(threading.Thread(target=read))
        for thread in threads:
            thread.start()
        for _ in range(3):
            time.sleep(1)
            # One killed process makes the server end all of them and recover from its log.
            for pid in backends(self.program, "tenant_clinic")[:1]:
                os.kill(pid, signal.SIGKILL)
        time.sleep(3)
        over.set()
        for thread in threads:
            thread.join(60)
        self.assertEqual(odd, [])
        self.assertGreater(len(made), 20)
        harness.wait_until(lambda: self.send("GET", "/visits").status == 200, 20, "the database is back")
        stored, after = {}, ""
        while True:
            page = self.send("GET", f"/visits?limit=200&fields=id,notes&sort=id{after}").json()
            for item in page["items"]:
                self.assertNotIn(item["notes"], stored, "stored twice")
                stored[item["notes"]] = item["id"]
            if not page["next"]:
                break
            after = "&next=" + page["next"]
        self.assertEqual(stored, dict(made))
        print(f"{len(made)} records, {len(refused)} refusals while the database was away")


if __name__ == "__main__":
    harness.main()
