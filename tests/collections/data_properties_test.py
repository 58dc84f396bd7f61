#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Invariants of records under concurrent access: pages neither skip nor repeat records that exist all the time, a
transition happens once, and amounts of money are never rounded."""

import collections
import concurrent.futures
import http.client
import json
import random
import sys
import threading
import unittest
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402

MANIFEST = f"""integreat: 1
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
      label: {{type: text}}
      rank: {{type: integer}}
      amount: {{type: money, min: -9007199254740991, max: 9007199254740991}}
      fee: {{type: money, default: 0}}
      rest: {{type: money, computed: "amount - fee"}}
      rate: {{type: decimal, precision: 20, scale: 6}}
    states: {{initial: open, names: [open, booked]}}
    transitions:
      book: {{from: [open], to: booked, allow: [{{roles: [clerk]}}]}}
    access:
      read: [{{roles: [clerk, admin]}}]
      create: [{{roles: [clerk]}}]
      update: [{{roles: [clerk]}}]
      delete: [{{roles: [clerk]}}]
"""
CALLERS = 32
LARGEST = 2**53 - 1  # The largest interoperable integer of JSON (RFC 8259 section 6).
STABLE, WRITERS, LIMITS = 200, 4, (3, 17, 50)
SORTS = ("rank", "-rank,label", "label", "-created_at", "rate", "-amount,rank")


class Client:
    """A client with one persistent connection, for one thread."""

    def __init__(self, gateway: str, token: str) -> None:
        url = urlsplit(gateway)
        self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
        self.token = token

    def send(self, method: str, path: str, body=None, **headers) -> tuple[int, bytes]:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        self.connection.request(method, "/v1/apps/ledger/entries" + path, body=body, headers=headers)
        response = self.connection.getresponse()
        return response.status, response.read()


class Properties(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = harness.make_folder()
        (folder / "ledger.yaml").write_text(MANIFEST)
        cls.program = harness.Program(apps=folder).start()
        cls.token = cls.program.token("ledger", "clerk")
        cls.rng = random.Random(7)

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    def client(self) -> Client:
        client = Client(self.program.gateway, self.token)
        self.addCleanup(client.connection.close)
        return client

    def create(self, client: Client, body):
        status, response = client.send("POST", "", body)
        self.assertEqual(status, 201, response)
        return json.loads(response)

    def record(self, rng: random.Random, label: str) -> dict:
        record = {"label": f"{label} {rng.randint(0, 9)}", "rank": rng.randint(0, 20)}
        # Records without a value have a place in every order too.
        if rng.random() < 0.7:
            record |= {"rate": f"{rng.uniform(0, 3):.1f}", "amount": {"amount": rng.randint(0, 30)}}
        return record

    def test_pages_neither_skip_nor_repeat_records_that_exist_all_the_time(self):
        client = self.client()
        rng = random.Random(1)
        created = self.create(client, [self.record(rng, "stable") for _ in range(STABLE)])["items"]
        stable = {item["id"] for item in created}
        stopping, counts = threading.Event(), collections.Counter()
        writers = [
            threading.Thread(target=self.churn, args=(number, stopping, counts)) for number in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        pages = 0
        try:
            for sort in SORTS:
                for limit in LIMITS:
                    occurrences, count = self.walk(client, sort, limit)
                    pages += count
                    repeated = [one for one, times in occurrences.items() if times > 1]
                    self.assertEqual(repeated, [], f"repeated, sorted by {sort}")
                    self.assertEqual(stable - set(occurrences), set(), f"skipped, sorted by {sort}")
        finally:
            stopping.set()
            for writer in writers:
                writer.join(60)
        print(f"\n{pages} pages of {len(SORTS) * len(LIMITS)} walks; meanwhile {dict(counts)}")
        self.assertGreater(counts["created"], 50)
        self.assertGreater(counts["deleted"], 50)

    def churn(self, number: int, stopping: threading.Event, counts: collections.Counter) -> None:
        """Creates and deletes records at random positions of every order until `stopping` is set."""
        client, rng, own = Client(self.program.gateway, self.token), random.Random(100 + number), []
        while not stopping.is_set():
            if len(own) < 20 or rng.random() < 0.5:
                status, response = client.send("POST", "", self.record(rng, "temporary"))
                own += [json.loads(response)["id"]] if status == 201 else []
                counts["created" if status == 201 else status] += 1
            else:
                status, _ = client.send("DELETE", "/" + own.pop(rng.randrange(len(own))))
                counts["deleted" if status == 204 else status] += 1
        client.connection.close()

    def walk(self, client: Client, sort: str, limit: int) -> tuple[collections.Counter, int]:
        occurrences: collections.Counter = collections.Counter()
        after, pages = "", 0
        while True:
            status, response = client.send("GET", f"?sort={sort}&limit={limit}{after}")
            self.assertEqual(status, 200, response)
            page = json.loads(response)
            occurrences.update(item["id"] for item in page["items"])
            pages += 1
            if not page["next"]:
                return occurrences, pages
            after = f"&next={page['next']}"

    def send_concurrently(self, make_request) -> collections.Counter:
        """Sends requests of 32 callers at the same time. Counts the responses by status and problem type."""
        start = threading.Barrier(CALLERS)

        def call(number: int):
            client = Client(self.program.gateway, self.token)
            client.send("GET", "?limit=1")  # Connects and authenticates before the start.
            start.wait(60)
            status, response = client.send(*make_request(number)[:3], **make_request(number)[3])
            client.connection.close()
            return status, json.loads(response).get("type", "").rpartition("/")[2]

        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            return collections.Counter(pool.map(call, range(CALLERS)))

    def test_a_transition_happens_once(self):
        client = self.client()
        rounds = harness.rounds(6)
        for _ in range(rounds):
            entry = self.create(client, {"label": "once"})["id"]
            responses = self.send_concurrently(lambda _, entry=entry: ("POST", f"/{entry}/book", None, {}))
            self.assertEqual(responses, {(200, ""): 1, (409, "wrong-state"): CALLERS - 1})
            self.assertEqual(json.loads(client.send("GET", f"/{entry}")[1])["version"], 2)
        print(f"\n{rounds} transitions, {CALLERS} callers each: each happened once")

    def test_only_one_change_of_a_version_succeeds(self):
        client = self.client()
        entry = self.create(client, {"label": "version", "amount": {"amount": 0}})["id"]
        for version in range(1, 4):
            responses = self.send_concurrently(
                lambda number, tag=f'"{version}"': (
                    "PATCH",
                    f"/{entry}",
                    {"amount": {"amount": number}},
                    {"If_Match": tag},
                )
            )
            self.assertEqual(responses, {(200, ""): 1, (412, "version-mismatch"): CALLERS - 1})

    def test_money_never_changes_by_rounding(self):
        client = self.client()
        values = [0, 1, -1, 99, 100, 2**31, 2**32 + 1, 2**52 + 1, LARGEST - 1, LARGEST, -LARGEST]
        values += [self.rng.randint(-LARGEST, LARGEST) for _ in range(200)]
        label = "rounding"
        for value in values:
            created = self.create(client, {"label": label, "amount": {"amount": value}})
            path = f"/{created['id']}"
            self.assertEqual((created["amount"]["amount"], created["rest"]["amount"]), (value, value))
            self.assertIs(type(created["amount"]["amount"]), int)
            self.assertEqual(json.loads(client.send("GET", path)[1])["amount"]["amount"], value)
            other = -value or 1
            status, response = client.send("PATCH", path, {"amount": {"amount": other}})
            self.assertEqual((status, json.loads(response)["amount"]["amount"]), (200, other))
            client.send("PATCH", path, {"amount": {"amount": value}})
            found = json.loads(client.send("GET", f"?label={label}&amount=eq.{value}")[1])["items"]
            self.assertIn(created["id"], [item["id"] for item in found])
            above = json.loads(client.send("GET", f"?id={created['id']}&amount=gt.{value}")[1])["items"]
            self.assertEqual(above, [])
        select = "select=count,sum(amount),min(amount),max(amount)"
        sums = json.loads(client.send("GET", f"/aggregate?{select}&label={label}")[1])["items"][0]
        aggregates = [sums["count"], *(sums[name]["amount"] for name in ("sum_amount", "min_amount", "max_amount"))]
        self.assertEqual(aggregates, [len(values), sum(values), min(values), max(values)])
        print(f"\n{len(values)} amounts up to {LARGEST} were stored and read, sum {sum(values)}")

    def test_amounts_that_are_not_whole_are_refused(self):
        client = self.client()
        for text in (
            "1.5",
            "0.1",
            "1e-1",
            '"100"',
            "9007199254740992",
            "9223372036854775808",
            "1e300",
            "-9007199254740992",
            "true",
            "[1]",
            "null",
            "NaN",
        ):
            status, response = client.send("POST", "", f'{{"amount": {{"amount": {text}}}}}'.encode())
            self.assertEqual(status, 400, (text, response))

    def test_sums_beyond_the_largest_integer_are_exact(self):
        client = self.client()
        self.create(client, [{"label": "vast", "amount": {"amount": LARGEST}} for _ in range(1000)])
        status, response = client.send("GET", "/aggregate?select=sum(amount),avg(amount)&label=vast")
        self.assertEqual(status, 200, response)
        self.assertIn(str(1000 * LARGEST).encode(), response)
        self.assertEqual(Decimal(json.loads(response)["items"][0]["avg_amount"]), LARGEST)

    def test_decimals_are_exact_strings(self):
        client = self.client()
        values = ["0.1", "0.2", "0.000001", "12345678901234.123456", "-99999999999999.999999"]
        for value in values:
            created = self.create(client, {"label": "exact", "rate": value})
            self.assertEqual(Decimal(created["rate"]), Decimal(value))
            self.assertIsInstance(created["rate"], str)
        sums = json.loads(client.send("GET", "/aggregate?select=sum(rate)&label=exact")[1])["items"][0]
        self.assertEqual(Decimal(sums["sum_rate"]), sum(map(Decimal, values)))
        for value in ("0.0000001", "100000000000000", "1e400", "NaN", "Infinity", "1,5"):
            status, response = client.send("POST", "", {"rate": value})
            self.assertEqual(status, 400, (value, response))


if __name__ == "__main__":
    harness.main()
