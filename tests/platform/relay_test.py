#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Proxying to an upstream: large bodies with constant memory, event streams without delay, WebSockets, and the
responses to the caller when the upstream fails."""

import base64
import hashlib
import http.client
import os
import socket
import struct
import sys
import threading
import time
import unittest
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402
import upstream as test_upstream  # noqa: E402

LARGE = 64 * 1024 * 1024
MAX_MEMORY_GROWTH_KIB = 16 * 1024  # While 64 MiB are proxied.


class PeakMemory(threading.Thread):
    def __init__(self, pid: int) -> None:
        super().__init__()
        self.pid, self.peak, self.stopping = pid, 0, threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            self.peak = max(self.peak, harness.resident_kib(self.pid))
            time.sleep(0.005)


class Relay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = harness.Upstream()
        cls.gone_port = harness.free_port()
        cls.program = harness.Program(settings="http:\n  max_body_bytes: 128MiB\n")
        cls.program.apps = manifests.write_manifests(
            cls.program.data / "apps",
            cls.upstream.url,
            gone=f"http://127.0.0.1:{cls.gone_port}",
            max_body_bytes="100MiB",
        )
        cls.program.start()
        cls.token = cls.program.token("campus")

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()
        cls.upstream.stop()

    def get(self, path: str, **options) -> harness.Response:
        return self.program.call("GET", f"/v1/apps/campus/{path}", token=self.token, **options)

    def connection(self) -> http.client.HTTPConnection:
        url = urlsplit(self.program.gateway)
        return http.client.HTTPConnection(url.hostname, url.port, timeout=60)

    def expect_constant_memory(self, transfer) -> None:
        transfer()  # Buffers and pools grow to their size.
        before = harness.resident_kib(self.program.pid)
        monitor = PeakMemory(self.program.pid)
        monitor.start()
        try:
            transfer()
        finally:
            monitor.stopping.set()
            monitor.join(10)
        print(f"\n64 MiB proxied; memory {before} KiB before, {monitor.peak} KiB at most")
        self.assertLess(monitor.peak - before, MAX_MEMORY_GROWTH_KIB)

    def test_download_of_64_mib_streams(self):
        expected = hashlib.sha256(test_upstream.BLOCK * (LARGE // len(test_upstream.BLOCK))).hexdigest()

        def download():
            connection, digest, size = self.connection(), hashlib.sha256(), 0
            connection.request(
                "GET",
                f"/v1/apps/campus/portal/bytes?count={LARGE}",
                headers={"Authorization": f"Bearer {self.token}"},
            )
            response = connection.getresponse()
            self.assertEqual(response.status, 200)
            while block := response.read(1 << 16):
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
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        echo = harness.json.loads(response.read())
        connection.close()
        self.assertEqual(echo["bytes"], LARGE)
        self.assertEqual(echo["sha256"], hashlib.sha256(block * count).hexdigest())

    def test_upload_of_64_mib_streams(self):
        self.expect_constant_memory(lambda: self.upload(chunked=False))

    def test_chunked_upload_of_64_mib_streams(self):
        self.expect_constant_memory(lambda: self.upload(chunked=True))

    def test_a_body_over_the_limit_of_the_route_is_refused_before_it_is_sent(self):
        connection = self.connection()
        connection.putrequest("POST", "/v1/apps/campus/portal/echo")
        connection.putheader("Authorization", f"Bearer {self.token}")
        connection.putheader("Content-Length", str(101 * 1024 * 1024))
        connection.endheaders()
        response = connection.getresponse()
        self.assertEqual(response.status, 413)
        self.assertEqual(response.headers.get_content_type(), "application/problem+json")
        connection.close()

    def test_the_upstream_gets_the_subject_but_neither_the_token_nor_forged_headers(self):
        response = self.get(
            "portal/echo",
            headers={
                "Integreat-Subject": "forged",
                "Integreat-Role": "admin",
                "Connection": "X-Hop",
                "X-Hop": "1",
                "X-Kept": "2",
            },
        )
        self.assertEqual(response.status, 200, response.body)
        fields = [(name.lower(), value) for name, value in response.json()["headers"]]
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

    def test_events_arrive_without_delay(self):
        connection = self.connection()
        began = time.monotonic()
        connection.request(
            "GET",
            "/v1/apps/campus/portal/events?count=4&ms=400",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        response = connection.getresponse()
        self.assertEqual(response.headers.get_content_type(), "text/event-stream")
        times = []
        while line := response.readline():
            if line.startswith(b"data:"):
                times.append(time.monotonic() - began)
        connection.close()
        self.assertEqual(len(times), 4)
        self.assertLess(times[0], 0.4, "the first event waited for the second")
        self.assertGreater(times[3] - times[0], 0.8, "the events arrived together")

    def test_websocket_messages_are_echoed(self):
        url = urlsplit(self.program.gateway)
        key = base64.b64encode(os.urandom(16)).decode()
        with socket.create_connection((url.hostname, url.port), timeout=20) as connection:
            connection.sendall(
                (
                    f"GET /v1/apps/campus/portal/socket HTTP/1.1\r\nHost: {url.netloc}\r\n"
                    f"Authorization: Bearer {self.token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
                ).encode()
            )
            stream = connection.makefile("rb")
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
                connection.sendall(b"\x82" + size + bytes(4) + payload)
                first, length = stream.read(2)
                if length == 126:
                    (length,) = struct.unpack("!H", stream.read(2))
                self.assertEqual((first, stream.read(length)), (0x82, payload))
            connection.sendall(b"\x88\x80" + bytes(4))
            self.assertEqual(stream.read(2), b"\x88\x00")
            self.assertEqual(stream.read(1), b"", "the connection outlived the WebSocket")

    def test_an_incomplete_response_of_the_upstream_is_not_passed_as_complete(self):
        connection = self.connection()
        connection.request(
            "GET", "/v1/apps/campus/portal/die?count=5000", headers={"Authorization": f"Bearer {self.token}"}
        )
        response = connection.getresponse()
        if response.status == 200:
            with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
                response.read()
        else:
            self.assertEqual(response.status, 502)
        connection.close()

    def test_statuses_of_the_upstream_are_passed_on(self):
        for status in (404, 418, 500):
            self.assertEqual(self.get(f"portal/status?code={status}").status, status)

    def test_the_circuit_opens_for_an_unreachable_upstream_and_closes_when_it_is_back(self):
        first = self.get("gone/echo")
        self.assertIn(first.status, (502, 503))
        harness.wait_until(lambda: self.get("gone/echo").status == 503, 10, "the circuit opens")
        began = time.monotonic()
        response = self.get("gone/echo")
        self.assertEqual(response.status, 503)
        self.assertTrue(response.headers["Retry-After"])
        self.assertLess(time.monotonic() - began, 1, "an open circuit must respond immediately")
        upstream = harness.Upstream(self.gone_port)
        self.addCleanup(upstream.stop)
        harness.wait_until(lambda: self.get("gone/echo").status == 200, 15, "the circuit closes")


if __name__ == "__main__":
    harness.main()
