#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What passes through to an upstream: large bodies with constant memory, event streams in time, WebSockets,
and what the caller is told when the upstream goes away."""

import base64
import hashlib
import http.client
import os
import socket
import struct
import threading
import time
import unittest
from urllib.parse import urlsplit

import apps
import harness
import upstream as test_upstream

LARGE = 64 * 1024 * 1024
MEMORY_MORE_MAX_KIB = 16 * 1024  # While 64 MiB pass through.


class PeakMemory(threading.Thread):
    def __init__(self, pid: int) -> None:
        super().__init__()
        self.pid, self.peak, self.stopping = pid, 0, threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            self.peak = max(self.peak, harness.memory_kib(self.pid))
            time.sleep(0.005)


class Relay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = harness.Upstream()
        cls.gone_port = harness.free_port()
        cls.program = harness.Program(settings="http:\n  body_bytes_max: 128MiB\n")
        cls.program.apps = apps.write(
            cls.program.data / "apps",
            cls.upstream.url,
            gone=f"http://127.0.0.1:{cls.gone_port}",
            body_bytes_max="100MiB",
        )
        cls.program.start()
        cls.token = cls.program.token("campus")

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()
        cls.upstream.stop()

    def get(self, path: str, **more) -> harness.Answer:
        return self.program.call("GET", f"/v1/apps/campus/{path}", token=self.token, **more)

    def connection(self) -> http.client.HTTPConnection:
        where = urlsplit(self.program.gateway)
        return http.client.HTTPConnection(where.hostname, where.port, timeout=60)

    def expect_constant_memory(self, work) -> None:
        work()  # Grows buffers and pools to their size.
        before = harness.memory_kib(self.program.pid)
        watch = PeakMemory(self.program.pid)
        watch.start()
        try:
            work()
        finally:
            watch.stopping.set()
            watch.join(10)
        print(f"\n64 MiB passed; memory {before} KiB before, {watch.peak} KiB at most")
        self.assertLess(watch.peak - before, MEMORY_MORE_MAX_KIB)

    def test_download_of_64_mib_streams(self):
        expected = hashlib.sha256(test_upstream.BLOCK * (LARGE // len(test_upstream.BLOCK))).hexdigest()

        def download():
            connection, digest, size = self.connection(), hashlib.sha256(), 0
            connection.request(
                "GET",
                f"/v1/apps/campus/portal/bytes?count={LARGE}",
                headers={"Authorization": f"Bearer {self.token}"},
            )
            answer = connection.getresponse()
            self.assertEqual(answer.status, 200)
            while block := answer.read(1 << 16):
                size += len(block)
                digest.update(block)
            connection.close()
            self.assertEqual((size, digest.hexdigest()), (LARGE, expected))

        self.expect_constant_memory(download)

    def upload(self, chunked: bool):
        block = os.urandom(1 << 16)
        count = LARGE // len(block)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/octet-stream"}
        if not chunked:
            headers["Content-Length"] = str(LARGE)
        connection = self.connection()
        connection.request(
            "POST",
            "/v1/apps/campus/portal/echo",
            body=iter([block] * count),
            headers=headers,
            encode_chunked=chunked,
        )
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        seen = harness.json.loads(answer.read())
        connection.close()
        self.assertEqual(seen["bytes"], LARGE)
        self.assertEqual(seen["sha256"], hashlib.sha256(block * count).hexdigest())

    def test_upload_of_64_mib_streams(self):
        self.expect_constant_memory(lambda: self.upload(chunked=False))

    def test_chunked_upload_of_64_mib_streams(self):
        self.expect_constant_memory(lambda: self.upload(chunked=True))

    def test_a_body_beyond_the_route_is_refused_before_it_is_sent(self):
        connection = self.connection()
        connection.putrequest("POST", "/v1/apps/campus/portal/echo")
        connection.putheader("Authorization", f"Bearer {self.token}")
        connection.putheader("Content-Length", str(101 * 1024 * 1024))
        connection.endheaders()
        answer = connection.getresponse()
        self.assertEqual(answer.status, 413)
        self.assertEqual(answer.headers.get_content_type(), "application/problem+json")
        connection.close()

    def test_upstream_learns_who_asks_and_never_the_token_or_a_forged_name(self):
        answer = self.get(
            "portal/echo",
            headers={
                "Integreat-Subject": "forged",
                "Integreat-Role": "admin",
                "Connection": "X-Hop",
                "X-Hop": "1",
                "X-Kept": "2",
            },
        )
        self.assertEqual(answer.status, 200, answer.body)
        fields = [(name.lower(), value) for name, value in answer.json()["headers"]]
        names = [name for name, _ in fields]
        me = self.get("me").json()
        self.assertNotIn("authorization", names)
        self.assertNotIn("x-hop", names)
        self.assertIn(("x-kept", "2"), fields)
        self.assertNotIn("forged", [value for _, value in fields])
        self.assertIn(
            self.token_subject(), [value for name, value in fields if name.startswith("integreat-")]
        )
        self.assertIn(self.token_subject(), harness.json.dumps(me))

    def token_subject(self) -> str:
        part = self.token.split(".")[1]
        return harness.json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sub"]

    def test_events_arrive_when_they_happen(self):
        connection = self.connection()
        began = time.monotonic()
        connection.request(
            "GET",
            "/v1/apps/campus/portal/events?count=4&ms=400",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        answer = connection.getresponse()
        self.assertEqual(answer.headers.get_content_type(), "text/event-stream")
        times = []
        while line := answer.readline():
            if line.startswith(b"data:"):
                times.append(time.monotonic() - began)
        connection.close()
        self.assertEqual(len(times), 4)
        self.assertLess(times[0], 0.4, "the first event waited for the second")
        self.assertGreater(times[3] - times[0], 0.8, "the events came together")

    def test_websocket_messages_come_back(self):
        where = urlsplit(self.program.gateway)
        key = base64.b64encode(os.urandom(16)).decode()
        with socket.create_connection((where.hostname, where.port), timeout=20) as line:
            line.sendall(
                (
                    f"GET /v1/apps/campus/portal/socket HTTP/1.1\r\nHost: {where.netloc}\r\n"
                    f"Authorization: Bearer {self.token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
                ).encode()
            )
            stream = line.makefile("rb")
            status = stream.readline()
            self.assertIn(b" 101 ", status)
            head = b""
            while (field := stream.readline()) != b"\r\n":
                head += field.lower()
            accept = base64.b64encode(
                hashlib.sha1((key + test_upstream.WEBSOCKET_GUID).encode()).digest()
            ).lower()
            self.assertIn(b"sec-websocket-accept: " + accept, head)
            for payload in (b"hello", b"x" * 40_000):
                size = (
                    bytes([0x80 | len(payload)])
                    if len(payload) < 126
                    else struct.pack("!BH", 0xFE, len(payload))
                )
                line.sendall(b"\x82" + size + bytes(4) + payload)
                first, length = stream.read(2)
                if length == 126:
                    (length,) = struct.unpack("!H", stream.read(2))
                self.assertEqual((first, stream.read(length)), (0x82, payload))
            line.sendall(b"\x88\x80" + bytes(4))
            self.assertEqual(stream.read(2), b"\x88\x00")
            self.assertEqual(stream.read(1), b"", "the connection outlived the WebSocket")

    def test_an_upstream_that_dies_in_the_middle_is_not_mistaken_for_a_whole_answer(self):
        connection = self.connection()
        connection.request(
            "GET", "/v1/apps/campus/portal/die?count=5000", headers={"Authorization": f"Bearer {self.token}"}
        )
        answer = connection.getresponse()
        if answer.status == 200:
            with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
                answer.read()
        else:
            self.assertEqual(answer.status, 502)
        connection.close()

    def test_answers_of_the_upstream_pass_as_they_are(self):
        for status in (404, 418, 500):
            self.assertEqual(self.get(f"portal/status?code={status}").status, status)

    def test_circuit_opens_for_a_dead_upstream_and_closes_when_it_is_back(self):
        first = self.get("gone/echo")
        self.assertIn(first.status, (502, 503))
        harness.wait_until(lambda: self.get("gone/echo").status == 503, 10, "the open circuit")
        began = time.monotonic()
        answer = self.get("gone/echo")
        self.assertEqual(answer.status, 503)
        self.assertTrue(answer.headers["Retry-After"])
        self.assertLess(time.monotonic() - began, 1, "an open circuit must answer at once")
        back = harness.Upstream(self.gone_port)
        self.addCleanup(back.stop)
        harness.wait_until(lambda: self.get("gone/echo").status == 200, 15, "the closed circuit")


if __name__ == "__main__":
    harness.main()
