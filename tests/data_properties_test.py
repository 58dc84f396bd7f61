#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What holds of records however many people work on them: pages neither skip nor repeat what was there all the
time, a transition happens once, and money stays to the centavo what it was."""

import collections
import concurrent.futures
import http.client
import json
import random
import threading
import unittest
from decimal import Decimal
from urllib.parse import urlsplit

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
      label: {{type: text}}
      rank: {{type: integer}}
      amount: {{type: money, least: -9007199254740991, most: 9007199254740991}}
      fee: {{type: money, default: 0}}
      rest: {{type: money, computed: "amount - fee"}}
      rate: {{type: decimal, digits: 20, scale: 6}}
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
LARGEST = 2**53 - 1  # What JSON's numbers hold everywhere (RFC 8259 section 6).
STABLE, WRITERS, LIMITS = 200, 4, (3, 17, 50)
SORTS = ("rank", "-rank,label", "label", "-created_at", "rate", "-amount,rank")


class Line:
    """A connection that is kept, for one thread."""

    def __init__(self, gateway: str, token: str) -> None:
        where = urlsplit(gateway)
        self.connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
        self.token = token

    def send(self, method: str, path: str, body=None, **headers) -> tuple[int, bytes]:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        self.connection.request(method, "/v1/apps/ledger/entries" + path, body=body, headers=headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


class Properties(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = harness.make_folder()
        (folder / "ledger.yaml").write_text(MANIFEST)
        cls.program = harness.Program(apps=folder).start()
        cls.token = cls.program.token("ledger", "clerk")
        cls.chance = random.Random(7)

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    def line(self) -> Line:
        line = Line(self.program.gateway, self.token)
        self.addCleanup(line.connection.close)
        return line

    def make(self, line: Line, body, status: int = 201):
        got, answer = line.send("POST", "", body)
        self.assertEqual(got, status, answer)
        return json.loads(answer)

    def row(self, chance: random.Random, label: str) -> dict:
        row = {"label": f"{label} {chance.randint(0, 9)}", "rank": chance.randint(0, 20)}
        # Some have no value: those too have a place in every order.
        if chance.random() < 0.7:
            row |= {"rate": f"{chance.uniform(0, 3):.1f}", "amount": {"amount": chance.randint(0, 30)}}
        return row

    def test_pages_neither_skip_nor_repeat_what_was_there_all_the_time(self):
        line = self.line()
        chance = random.Random(1)
        made = self.make(line, [self.row(chance, "stable") for _ in range(STABLE)])["items"]
        stable = {item["id"] for item in made}
        stopping, churned = threading.Event(), collections.Counter()
        writers = [
            threading.Thread(target=self.churn, args=(number, stopping, churned)) for number in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        pages = 0
        try:
            for sort in SORTS:
                for limit in LIMITS:
                    seen, turned = self.walk(line, sort, limit)
                    pages += turned
                    twice = [one for one, times in seen.items() if times > 1]
                    self.assertEqual(twice, [], f"repeated, sorted by {sort}")
                    self.assertEqual(stable - set(seen), set(), f"skipped, sorted by {sort}")
        finally:
            stopping.set()
            for writer in writers:
                writer.join(60)
        print(f"\n{pages} pages of {len(SORTS) * len(LIMITS)} walks; meanwhile {dict(churned)}")
        self.assertGreater(churned["made"], 50)
        self.assertGreater(churned["deleted"], 50)

    def churn(self, number: int, stopping: threading.Event, churned: collections.Counter) -> None:
        """Makes and deletes records all over the order, until told to stop."""
        line, chance, mine = Line(self.program.gateway, self.token), random.Random(100 + number), []
        while not stopping.is_set():
            if len(mine) < 20 or chance.random() < 0.5:
                status, answer = line.send("POST", "", self.row(chance, "passing"))
                mine += [json.loads(answer)["id"]] if status == 201 else []
                churned["made" if status == 201 else status] += 1
            else:
                status, _ = line.send("DELETE", "/" + mine.pop(chance.randrange(len(mine))))
                churned["deleted" if status == 204 else status] += 1
        line.connection.close()

    def walk(self, line: Line, sort: str, limit: int) -> tuple[collections.Counter, int]:
        seen: collections.Counter = collections.Counter()
        after, pages = "", 0
        while True:
            status, answer = line.send("GET", f"?sort={sort}&limit={limit}{after}")
            self.assertEqual(status, 200, answer)
            page = json.loads(answer)
            seen.update(item["id"] for item in page["items"])
            pages += 1
            if not page["next"]:
                return seen, pages
            after = f"&next={page['next']}"

    def all_at_once(self, act) -> collections.Counter:
        """The answers to 32 callers who begin together."""
        start = threading.Barrier(CALLERS)

        def one(number: int):
            line = Line(self.program.gateway, self.token)
            line.send("GET", "?limit=1")  # Connected and known before it begins.
            start.wait(60)
            status, answer = line.send(*act(number)[:3], **act(number)[3])
            line.connection.close()
            return status, json.loads(answer).get("type", "")

        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            return collections.Counter(pool.map(one, range(CALLERS)))

    def test_a_transition_happens_once(self):
        line = self.line()
        rounds = 6
        for _ in range(rounds):
            entry = self.make(line, {"label": "once"})["id"]
            answers = self.all_at_once(lambda _, entry=entry: ("POST", f"/{entry}/book", None, {}))
            self.assertEqual(answers, {(200, ""): 1, (409, "/problems/wrong-state"): CALLERS - 1})
            self.assertEqual(json.loads(line.send("GET", f"/{entry}")[1])["version"], 2)
        print(f"\n{rounds} transitions, {CALLERS} callers each: each happened once")

    def test_a_change_of_a_version_happens_once(self):
        line = self.line()
        entry = self.make(line, {"label": "version", "amount": {"amount": 0}})["id"]
        for version in range(1, 4):
            answers = self.all_at_once(
                lambda number, tag=f'"{version}"': (
                    "PATCH",
                    f"/{entry}",
                    {"amount": {"amount": number}},
                    {"If_Match": tag},
                )
            )
            self.assertEqual(answers, {(200, ""): 1, (412, "/problems/changed-meanwhile"): CALLERS - 1})

    def test_money_never_changes_by_rounding(self):
        line = self.line()
        values = [0, 1, -1, 99, 100, 2**31, 2**32 + 1, 2**52 + 1, LARGEST - 1, LARGEST, -LARGEST]
        values += [self.chance.randint(-LARGEST, LARGEST) for _ in range(200)]
        label = "rounding"
        for value in values:
            made = self.make(line, {"label": label, "amount": {"amount": value}})
            path = f"/{made['id']}"
            self.assertEqual((made["amount"]["amount"], made["rest"]["amount"]), (value, value))
            self.assertIs(type(made["amount"]["amount"]), int)
            self.assertEqual(json.loads(line.send("GET", path)[1])["amount"]["amount"], value)
            other = -value or 1
            status, answer = line.send("PATCH", path, {"amount": {"amount": other}})
            self.assertEqual((status, json.loads(answer)["amount"]["amount"]), (200, other))
            line.send("PATCH", path, {"amount": {"amount": value}})
            found = json.loads(line.send("GET", f"?label={label}&amount=eq.{value}")[1])["items"]
            self.assertIn(made["id"], [item["id"] for item in found])
            above = json.loads(line.send("GET", f"?id={made['id']}&amount=gt.{value}")[1])["items"]
            self.assertEqual(above, [])
        select = "select=count,sum(amount),min(amount),max(amount)"
        sums = json.loads(line.send("GET", f"/aggregate?{select}&label={label}")[1])["items"][0]
        got = [sums["count"], *(sums[name]["amount"] for name in ("sum_amount", "min_amount", "max_amount"))]
        self.assertEqual(got, [len(values), sum(values), min(values), max(values)])
        print(f"\n{len(values)} amounts up to {LARGEST} went in and out, sum {sum(values)}")

    def test_amounts_that_are_not_whole_are_mistakes_not_rounded(self):
        line = self.line()
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
            status, answer = line.send("POST", "", f'{{"amount": {{"amount": {text}}}}}'.encode())
            self.assertEqual(status, 400, (text, answer))

    def test_sums_beyond_what_a_number_holds_are_exact(self):
        line = self.line()
        self.make(line, [{"label": "vast", "amount": {"amount": LARGEST}} for _ in range(1000)])
        status, answer = line.send("GET", "/aggregate?select=sum(amount),avg(amount)&label=vast")
        self.assertEqual(status, 200, answer)
        self.assertIn(str(1000 * LARGEST).encode(), answer)
        self.assertEqual(Decimal(json.loads(answer)["items"][0]["avg_amount"]), LARGEST)

    def test_decimals_are_exact_texts(self):
        line = self.line()
        values = ["0.1", "0.2", "0.000001", "12345678901234.123456", "-99999999999999.999999"]
        for value in values:
            made = self.make(line, {"label": "exact", "rate": value})
            self.assertEqual(Decimal(made["rate"]), Decimal(value))
            self.assertIsInstance(made["rate"], str)
        sums = json.loads(line.send("GET", "/aggregate?select=sum(rate)&label=exact")[1])["items"][0]
        self.assertEqual(Decimal(sums["sum_rate"]), sum(map(Decimal, values)))
        for value in ("0.0000001", "100000000000000", "1e400", "NaN", "Infinity", "1,5"):
            status, answer = line.send("POST", "", {"rate": value})
            self.assertEqual(status, 400, (value, answer))


if __name__ == "__main__":
    harness.main()
