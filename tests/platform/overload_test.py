#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Load beyond the capacity of the server: it sheds requests with 503 or 429 and Retry-After, keeps running, and slow
clients do not slow the others."""

import asyncio
import sys
import threading
import time
import unittest
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402

BLOCKING_THREADS = 4  # Small, so that the capacity is known.
QUEUE = 8
SLOW_MS = 200
IDLE = 5_000
SLOWDOWN = 0.20
ATTEMPTS = 4  # The ratio of two loads on a shared machine is noisy; one attempt must succeed.

SETTINGS = f"""
blocking_pool:
  threads: {BLOCKING_THREADS}
  max_queue_length: {QUEUE}
http:
  header_timeout: 60s
  idle_timeout: 60s
"""


async def fetch(url, path: str, token: str, responses: list) -> None:
    """Sends a GET on its own connection and appends (status, has Retry-After, seconds) to `responses`."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: Bearer {token}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        head = (await asyncio.wait_for(reader.read(), 30)).split(b"\r\n\r\n")[0].decode()
        status = int(head.split(" ")[1]) if head else 0
        responses.append((status, "\nretry-after:" in head.lower(), time.monotonic() - began))
    finally:
        writer.close()


class SlowConnections(threading.Thread):
    """Connections that send a byte of a request head every few seconds. They come from several client addresses,
    because the limit per client must not be what protects the server."""

    def __init__(self, base: str, count: int) -> None:
        super().__init__()
        self.url, self.count = urlsplit(base), count
        self.open = self.reopened = 0
        self.stopping = threading.Event()

    def run(self) -> None:
        asyncio.run(self.run_all())

    async def run_all(self) -> None:
        semaphore = asyncio.Semaphore(100)
        await asyncio.gather(*(self.run_one(number, semaphore) for number in range(self.count)))

    async def run_one(self, number: int, semaphore: asyncio.Semaphore) -> None:
        while not self.stopping.is_set():
            try:
                async with semaphore:
                    _, writer = await asyncio.open_connection(
                        self.url.hostname, self.url.port, local_addr=(f"127.0.0.{2 + number % 20}", 0)
                    )
            except OSError:
                await asyncio.sleep(0.5)
                continue
            self.open += 1
            try:
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
                while not self.stopping.is_set() and not writer.is_closing():
                    await asyncio.sleep(5 if number % 10 else 1)
                    if number % 2:  # Half of them send bytes, half are idle.
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
        routes = (
            manifests.route("/metered/{rest...}", "portal", limit=limit)
            + "\n"
            + manifests.route("/few/{rest...}", "few")
        )
        cls.program.apps = manifests.write_manifests(cls.program.data / "apps", cls.upstream.url, extra_routes=routes)
        campus = cls.program.apps / "campus.yaml"
        campus.write_text(
            campus.read_text().replace(
                "  gone:\n", f"  few:\n    url: {cls.upstream.url}\n    max_connections: {BLOCKING_THREADS}\n  gone:\n"
            )
        )
        cls.program.start()

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()
        cls.upstream.stop()

    def burst(self, path: str, waves: int, each: int) -> tuple[list, list]:
        """Sends `each` concurrent requests and a health check, `waves` times. Returns the results of both."""
        token, url = self.program.token("campus"), urlsplit(self.program.gateway)
        responses, health = [], []

        async def run():
            for _ in range(waves):
                await asyncio.gather(
                    *(fetch(url, path, token, responses) for _ in range(each)),
                    fetch(url, "/healthz", token, health),
                )

        asyncio.run(run())
        return responses, health

    def expect_shed(self, responses: list, health: list, refusal: int, served_at_least: int):
        counted = Counter(status for status, _, _ in responses)
        print(
            f"\nresponses at 4 times capacity: {dict(counted)}; "
            f"slowest health check {max(seconds for _, _, seconds in health) * 1000:.0f} ms"
        )
        self.assertLessEqual({200, refusal}, set(counted), counted)
        self.assertLessEqual(set(counted), {200, 429, 503}, counted)
        self.assertGreaterEqual(counted[200], served_at_least)
        self.assertTrue(
            all(has_retry for status, has_retry, _ in responses if status != 200), "Retry-After is missing"
        )
        self.assertEqual({status for status, _, _ in health}, {200})
        self.assertLess(max(seconds for _, _, seconds in health), 2)

    def test_an_upstream_at_four_times_its_connections_is_shed_with_503(self):
        responses, health = self.burst(f"/v1/apps/campus/few/slow?ms={SLOW_MS}", 5, 4 * BLOCKING_THREADS)
        self.expect_shed(responses, health, 503, 5 * BLOCKING_THREADS)

    def test_a_caller_at_four_times_its_limit_is_shed_with_429(self):
        responses, health = self.burst("/v1/apps/campus/metered/echo", 4, 50)
        self.expect_shed(responses, health, 429, 50)

    def test_a_full_blocking_pool_is_shed_with_503(self):
        """Each request blocks a thread for a database query: far more concurrent requests than the half of the
        threads and of the queue that one caller may use. Some waves reach the rate limit of the caller too."""
        token, url = self.program.token("integreat-core", "admin"), urlsplit(self.program.gateway)
        responses, health = [], []

        async def wave():
            requests = (fetch(url, "/v1/admin/tenants/campus/keys", token, responses) for _ in range(200))
            await asyncio.gather(*requests, fetch(url, "/healthz", token, health))

        for _ in range(20):
            asyncio.run(wave())
            if any(status == 503 for status, _, _ in responses):
                break
        self.expect_shed(responses, health, 503, (BLOCKING_THREADS + QUEUE) // 2)

    def test_health_checks_succeed_at_four_times_the_capacity_of_the_server(self):
        """The closed loops of wrk keep every thread busy; 4 times as many connections only queue."""
        token, health = self.program.token("campus"), []
        stop = threading.Event()

        def check_health():
            while not stop.is_set():
                began = time.monotonic()
                status = self.program.call("GET", "/healthz").status
                health.append((status, False, time.monotonic() - began))
                time.sleep(0.05)

        watcher = threading.Thread(target=check_health)
        watcher.start()
        try:
            result = harness.load(self.program.gateway, "/v1/apps/campus/me", 4, connections=512, token=token)
        finally:
            stop.set()
            watcher.join(30)
        self.assertEqual(result["socket_errors"], 0, result)
        self.assertEqual({status for status, _, _ in health}, {200})
        print(
            f"\n{result['requests']} requests from 512 connections, {len(health)} health checks, slowest "
            f"{max(seconds for _, _, seconds in health) * 1000:.0f} ms"
        )

    def test_five_thousand_slow_connections_do_not_slow_other_traffic(self):
        token = self.program.token("campus")
        ratios = []
        for _ in range(ATTEMPTS):

            def rate() -> float:
                done = harness.load(self.program.gateway, "/v1/apps/campus/me", 3, token=token)
                self.assertEqual(done["http_errors"] + done["socket_errors"], 0, done)
                return done["requests"] / done["duration_us"]

            before = rate()
            slow = SlowConnections(self.program.gateway, IDLE)
            slow.start()
            try:
                harness.wait_until(lambda: slow.open >= IDLE * 0.99, 60, f"{IDLE} open connections")
                during = rate()
                connections = slow.open
            finally:
                slow.stopping.set()
                slow.join(60)
            ratios.append(during / ((before + rate()) / 2))
            print(f"\ntraffic with {connections} slow connections: {ratios[-1]:.2f} of the rate without")
            if ratios[-1] >= 1 - SLOWDOWN:
                return
        self.fail(f"slow connections reduced other traffic by more than {SLOWDOWN:.0%}: {ratios}")


class SlowHeads(unittest.TestCase):
    def test_a_head_that_does_not_end_is_aborted(self):
        program = harness.Program(settings="http:\n  header_timeout: 1s\n")
        self.addCleanup(program.remove)
        program.start()
        url = urlsplit(program.gateway)

        async def trickle() -> float:
            reader, writer = await asyncio.open_connection(url.hostname, url.port)
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
