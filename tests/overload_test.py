#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""More than the server can do: it sheds with 503 or 429 and Retry-After, stays alive, and slow clients pay
for their slowness themselves."""

import asyncio
import threading
import time
import unittest
from collections import Counter
from urllib.parse import urlsplit

import apps
import harness

WAITERS = 4  # Threads of the waiting pool, small so that capacity is known.
QUEUE = 8
SLOW_MS = 200
IDLE = 5_000
SLOWDOWN = 0.20
ATTEMPTS = 4  # The ratio of two loads on a machine that others use is noisy; one clean attempt shows it.

SETTINGS = f"""
waiting:
  threads: {WAITERS}
  queue_max: {QUEUE}
http:
  header_timeout: 60s
  idle_timeout: 60s
"""


async def fetch(where, path: str, token: str, answers: list) -> None:
    """One GET on its own connection: (status, has Retry-After, seconds)."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {token}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        head = (await asyncio.wait_for(reader.read(), 30)).split(b"\r\n\r\n")[0].decode()
        status = int(head.split(" ")[1]) if head else 0
        answers.append((status, "\nretry-after:" in head.lower(), time.monotonic() - began))
    finally:
        writer.close()


class Trickle(threading.Thread):
    """Connections that send a byte of a request head now and then, from several client addresses so that the
    limit per client is not what protects the server."""

    def __init__(self, base: str, count: int) -> None:
        super().__init__()
        self.where, self.count = urlsplit(base), count
        self.open = self.reopened = 0
        self.stopping = threading.Event()

    def run(self) -> None:
        asyncio.run(self.all())

    async def all(self) -> None:
        gate = asyncio.Semaphore(100)
        await asyncio.gather(*(self.one(number, gate) for number in range(self.count)))

    async def one(self, number: int, gate: asyncio.Semaphore) -> None:
        while not self.stopping.is_set():
            try:
                async with gate:
                    _, writer = await asyncio.open_connection(
                        self.where.hostname, self.where.port, local_addr=(f"127.0.0.{2 + number % 20}", 0)
                    )
            except OSError:
                await asyncio.sleep(0.5)
                continue
            self.open += 1
            try:
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
                while not self.stopping.is_set() and not writer.is_closing():
                    await asyncio.sleep(5 if number % 10 else 1)
                    if number % 2:  # Half of them trickle, half are idle.
                        writer.write(b"a")
                        await writer.drain()
            except OSError:
                self.reopened += 1
            finally:
                self.open -= 1
                writer.close()


class Overload(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = harness.Upstream()
        cls.program = harness.Program(settings=SETTINGS)
        limit = "{ requests: 50, window: 1s, burst: 50 }"
        more = (
            apps.route("/metered/{rest...}", "portal", limit=limit)
            + "\n"
            + apps.route("/few/{rest...}", "few")
        )
        cls.program.apps = apps.write(cls.program.data / "apps", cls.upstream.url, more_routes=more)
        campus = cls.program.apps / "campus.yaml"
        campus.write_text(
            campus.read_text().replace(
                "  gone:\n", f"  few:\n    url: {cls.upstream.url}\n    connections_max: {WAITERS}\n  gone:\n"
            )
        )
        cls.program.start()

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()
        cls.upstream.stop()

    def burst(self, path: str, waves: int, each: int) -> tuple[list, list]:
        """`each` requests at once, `waves` times, and a health check between them."""
        token, where = self.program.token("campus"), urlsplit(self.program.gateway)
        answers, health = [], []

        async def run():
            for _ in range(waves):
                await asyncio.gather(
                    *(fetch(where, path, token, answers) for _ in range(each)),
                    fetch(where, "/healthz", token, health),
                )

        asyncio.run(run())
        return answers, health

    def expect_shed(self, answers: list, health: list, refusal: int, served_at_least: int):
        counted = Counter(status for status, _, _ in answers)
        print(
            f"\nanswers at 4 times capacity: {dict(counted)}; "
            f"slowest health check {max(seconds for _, _, seconds in health) * 1000:.0f} ms"
        )
        self.assertLessEqual({200, refusal}, set(counted), counted)
        self.assertLessEqual(set(counted), {200, 429, 503}, counted)
        self.assertGreaterEqual(counted[200], served_at_least)
        self.assertTrue(
            all(retry for status, retry, _ in answers if status != 200), "Retry-After is missing"
        )
        self.assertEqual({status for status, _, _ in health}, {200})
        self.assertLess(max(seconds for _, _, seconds in health), 2)

    def test_an_upstream_at_four_times_its_connections_is_shed_with_503(self):
        answers, health = self.burst(f"/v1/apps/campus/few/slow?ms={SLOW_MS}", 5, 4 * WAITERS)
        self.expect_shed(answers, health, 503, 5 * WAITERS)

    def test_a_caller_at_four_times_its_limit_is_shed_with_429(self):
        answers, health = self.burst("/v1/apps/campus/metered/echo", 4, 50)
        self.expect_shed(answers, health, 429, 50)

    def test_a_full_waiting_pool_is_shed_with_503(self):
        """Each request needs a database and a thread that waits for it: far more at once than there are. What a
        caller may send in a minute is met on the way too."""
        token, where = self.program.token("integreat-core", "admin"), urlsplit(self.program.gateway)
        answers, health = [], []

        async def wave():
            many = (fetch(where, "/v1/admin/tenants/campus/keys", token, answers) for _ in range(200))
            await asyncio.gather(*many, fetch(where, "/healthz", token, health))

        for _ in range(20):
            asyncio.run(wave())
            if any(status == 503 for status, _, _ in answers):
                break
        self.expect_shed(answers, health, 503, WAITERS + QUEUE)

    def test_four_times_the_server_itself_leaves_health_checks_answered(self):
        """Closed loops of wrk keep every thread busy; 4 times as many connections only queue."""
        token, health = self.program.token("campus"), []
        stop = threading.Event()

        def watch():
            while not stop.is_set():
                began = time.monotonic()
                status = self.program.call("GET", "/healthz").status
                health.append((status, False, time.monotonic() - began))
                time.sleep(0.05)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            result = harness.load(self.program.gateway, "/v1/apps/campus/me", 4, connections=512, token=token)
        finally:
            stop.set()
            watcher.join(30)
        self.assertEqual(result["broken"], 0, result)
        self.assertEqual({status for status, _, _ in health}, {200})
        print(
            f"\n{result['requests']} requests from 512 connections, {len(health)} health checks, slowest "
            f"{max(seconds for _, _, seconds in health) * 1000:.0f} ms"
        )

    def test_five_thousand_slow_connections_leave_normal_traffic_alone(self):
        token = self.program.token("campus")
        ratios = []
        for _ in range(ATTEMPTS):

            def rate() -> float:
                done = harness.load(self.program.gateway, "/v1/apps/campus/me", 3, token=token)
                self.assertEqual(done["refused"] + done["broken"], 0, done)
                return done["requests"] / done["duration_us"]

            before = rate()
            slow = Trickle(self.program.gateway, IDLE)
            slow.start()
            try:
                harness.wait_until(lambda: slow.open >= IDLE * 0.99, 60, f"{IDLE} open connections")
                during = rate()
                held = slow.open
            finally:
                slow.stopping.set()
                slow.join(60)
            ratios.append(during / ((before + rate()) / 2))
            print(f"\nnormal traffic beside {held} slow connections: {ratios[-1]:.2f} of what it is without")
            if ratios[-1] >= 1 - SLOWDOWN:
                return
        self.fail(f"slow connections cost normal traffic more than {SLOWDOWN:.0%}: {ratios}")


class SlowHeads(unittest.TestCase):
    def test_a_head_that_never_ends_is_cut_off(self):
        program = harness.Program(settings="http:\n  header_timeout: 1s\n")
        self.addCleanup(program.remove)
        program.start()
        where = urlsplit(program.gateway)

        async def trickle() -> float:
            reader, writer = await asyncio.open_connection(where.hostname, where.port)
            began = time.monotonic()
            writer.write(b"GET / HTTP/1.1\r\nX: ")
            while time.monotonic() - began < 20:
                try:
                    writer.write(b"a")
                    await writer.drain()
                    if await asyncio.wait_for(reader.read(1000), 0.2) in (b"",) or reader.at_eof():
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
            writer.close()
            return time.monotonic() - began

        self.assertLess(asyncio.run(trickle()), 5)


if __name__ == "__main__":
    harness.main(measures=True)
