#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Requests that two servers could parse differently (request smuggling): they are refused with 400 and the connection
is closed, so that no byte after them is parsed as a request. They are sent whole and byte by byte."""

import re
import socket
import sys
import time
import unittest
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402

STATUS_LINE = re.compile(rb"HTTP/1\.1 \d{3} ")
INNER = b"GET /v1/apps/campus/me HTTP/1.1\r\nHost: h\r\n\r\n"


def post(*fields: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"POST /v1/apps/campus/open/echo HTTP/1.1", b"Host: h", *fields, b"", b""]) + body


def get(target: bytes = b"/healthz", *fields: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return b"\r\n".join([b"GET " + target + b" " + version, b"Host: h", *fields, b"", b""])


REFUSED = {
    "length and chunked": post(b"Content-Length: 6", b"Transfer-Encoding: chunked", body=b"0\r\n\r\nG"),
    "chunked and length": post(
        b"Transfer-Encoding: chunked", b"Content-Length: 4", body=b"0\r\n\r\n" + INNER
    ),
    "two lengths": post(b"Content-Length: 3", b"Content-Length: 4", body=b"abcd"),
    "list of lengths": post(b"Content-Length: 3, 4", body=b"abcd"),
    "signed length": post(b"Content-Length: +3", body=b"abc"),
    "negative length": post(b"Content-Length: -1"),
    "hexadecimal length": post(b"Content-Length: 0x3", body=b"abc"),
    "length with a space inside": post(b"Content-Length: 1 0", body=b"0123456789"),
    "empty length": post(b"Content-Length: "),
    "length beyond 64 bits": post(b"Content-Length: 18446744073709551617", body=b"a"),
    "unknown coding": post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "chunked not last": post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
    "chunked twice": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "coding with a vertical tab": post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
    "coding in quotes": post(b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"),
    "space before the colon": post(b"Content-Length : 3", body=b"abc"),
    "space before a coding's colon": post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"),
    "folded field": post(b"X: a\r\n b", b"Content-Length: 0"),
    "folded coding": post(b"Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n"),
    "bare LF in the head": b"POST /v1/apps/campus/open/echo HTTP/1.1\nHost: h\nContent-Length: 0\n\n",
    "bare LF after a field": b"GET /healthz HTTP/1.1\r\nHost: h\nX: y\r\n\r\n",
    "bare CR in a field": get(b"/healthz", b"X: a\rTransfer-Encoding: chunked"),
    "NUL in a field": get(b"/healthz", b"X: a\x00b"),
    "no field name": get(b"/healthz", b": a"),
    "no colon": get(b"/healthz", b"nothing"),
    "space first": get(b"/healthz", b" X: a"),
    "two hosts": get(b"/healthz", b"Host: other"),
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "host with a path": b"GET /healthz HTTP/1.1\r\nHost: h/x\r\n\r\n",
    "coding in HTTP/1.0": get(b"/healthz", b"Transfer-Encoding: chunked", version=b"HTTP/1.0"),
    "two spaces in the first line": b"GET  /healthz HTTP/1.1\r\nHost: h\r\n\r\n",
    "tab in the first line": b"GET\t/healthz\tHTTP/1.1\r\nHost: h\r\n\r\n",
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "lower-case version": get(version=b"http/1.1"),
    "version with spaces": get(version=b"HTTP/1.1 x"),
    "control byte in the target": get(b"/health\x01z"),
    "raw UTF-8 in the target": get("/healthz/é".encode()),
}

# The end of these requests is unambiguous but not their target: they are refused, and the connection can stay open.
TARGETS_REFUSED = {
    "fragment in the target": get(b"/healthz#x"),
    "dot segments": get(b"/v1/apps/campus/open/../me"),
    "escaped dot segments": get(b"/v1/apps/campus/open/%2e%2e/me"),
    "escaped slash and dots": get(b"/v1/apps/campus/open/..%2fme"),
    "escaped NUL": get(b"/healthz/%00"),
    "half an escape": get(b"/healthz/%4"),
    "backslash": get(b"/v1\\apps"),
}

CHUNKS_REFUSED = {
    "size not a number": b"x\r\nabc\r\n0\r\n\r\n",
    "size with 0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "signed size": b"+3\r\nabc\r\n0\r\n\r\n",
    "negative size": b"-1\r\nabc\r\n0\r\n\r\n",
    "size beyond 64 bits": b"10000000000000003\r\nabc\r\n0\r\n\r\n",
    "size then bare LF": b"3\nabc\r\n0\r\n\r\n",
    "chunk longer than it says": b"3\r\nabcd\r\n0\r\n\r\n",
    "chunk ends in bare LF": b"3\r\nabc\n0\r\n\r\n",
    "empty size": b"\r\nabc\r\n0\r\n\r\n",
    "space before the size": b" 3\r\nabc\r\n0\r\n\r\n",
}


class Smuggling(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = harness.Upstream()
        cls.program = harness.Program()
        manifests.write_manifests(cls.program.data / "apps", cls.upstream.url)
        campus = cls.program.data / "apps" / "campus.yaml"
        campus.write_text(
            campus.read_text().replace(
                "  - path: /open/{rest...}\n    methods: [GET]",
                "  - path: /open/{rest...}\n    methods: [GET, POST]",
            )
        )
        cls.program.apps = campus.parent
        cls.program.start()
        cls.url = urlsplit(cls.program.gateway)

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()
        cls.upstream.stop()

    def exchange(self, sent: bytes, slowly: bool = False) -> bytes:
        """Sends bytes and returns all bytes received until the server closes. Fails if it does not close."""
        with socket.create_connection((self.url.hostname, self.url.port), timeout=15) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            received = b""
            try:
                for part in [sent[at : at + 1] for at in range(len(sent))] if slowly else [sent]:
                    connection.sendall(part)
                    if slowly:
                        time.sleep(0.0005)
            except OSError:
                pass  # The server has responded and closed already.
            try:
                while block := connection.recv(65536):
                    received += block
            except ConnectionResetError:
                pass
            except TimeoutError:
                self.fail(f"still open after {received!r}")
            return received

    def expect_refused(self, sent: bytes, slowly: bool) -> None:
        received = self.exchange(sent + INNER, slowly)
        self.assertTrue(
            received.startswith(b"HTTP/1.1 400 ") or received.startswith(b"HTTP/1.1 505 "), received
        )
        self.assertEqual(len(STATUS_LINE.findall(received)), 1, f"bytes after it got a response: {received!r}")
        self.assertIn(b"connection: close", received.lower())
        self.assertIn(b"application/problem+json", received)

    def test_ambiguous_heads_are_refused_and_the_connection_closed(self):
        for name, sent in REFUSED.items():
            with self.subTest(name):
                self.expect_refused(sent, slowly=False)

    def test_ambiguous_heads_are_refused_byte_by_byte_too(self):
        for name in ("length and chunked", "two lengths", "folded field", "bare LF after a field"):
            with self.subTest(name):
                self.expect_refused(REFUSED[name], slowly=True)

    def test_ambiguous_targets_are_refused(self):
        for name, sent in TARGETS_REFUSED.items():
            with self.subTest(name):
                received = self.exchange(sent + get(b"/healthz", b"Connection: close"))
                self.assertTrue(received.startswith(b"HTTP/1.1 400 "), received)
                self.assertIn(b"application/problem+json", received)

    def test_malformed_chunks_close_the_connection_and_get_no_success(self):
        for name, chunks in CHUNKS_REFUSED.items():
            for slowly in (False, True):
                with self.subTest(name, slowly=slowly):
                    received = self.exchange(post(b"Transfer-Encoding: chunked", body=chunks) + INNER, slowly)
                    self.assertNotIn(b"HTTP/1.1 200", received)
                    self.assertLessEqual(len(STATUS_LINE.findall(received)), 1, received)

    def test_similar_well_formed_requests_succeed(self):
        valid = {
            "length": post(b"Content-Length: 3", b"Connection: close", body=b"abc"),
            "chunked": post(
                b"Transfer-Encoding: chunked", b"Connection: close", body=b"3\r\nabc\r\n0\r\n\r\n"
            ),
            "chunk extension": post(
                b"Transfer-Encoding: chunked", b"Connection: close", body=b"3;a=b\r\nabc\r\n0\r\n\r\n"
            ),
            "trailer": post(
                b"Transfer-Encoding: chunked", b"Connection: close", body=b"3\r\nabc\r\n0\r\nX: y\r\n\r\n"
            ),
            "same coding in capitals": post(
                b"Transfer-Encoding: Chunked", b"Connection: close", body=b"3\r\nabc\r\n0\r\n\r\n"
            ),
        }
        for name, sent in valid.items():
            with self.subTest(name):
                received = self.exchange(sent)
                self.assertTrue(received.startswith(b"HTTP/1.1 200 "), received)
                self.assertIn(b'"bytes": 3', received)

    def test_pipelined_requests_get_responses_in_order(self):
        received = self.exchange(get(b"/healthz") + get(b"/nowhere") + get(b"/healthz", b"Connection: close"))
        statuses = [part.split(b" ")[0] for part in received.split(b"HTTP/1.1 ")[1:]]
        self.assertEqual(statuses, [b"200", b"404", b"200"], received)

    def test_heads_beyond_the_limits_are_refused(self):
        for name, sent, status in (
            ("too many fields", get(b"/healthz", *[b"X-%d: y" % n for n in range(101)]), b"431"),
            ("too large", get(b"/healthz", b"X: " + b"y" * 17_000), b"431"),
            ("target too long", get(b"/" + b"y" * 9_000), b"414"),
        ):
            with self.subTest(name):
                received = self.exchange(sent)
                self.assertTrue(received.startswith(b"HTTP/1.1 " + status), received[:200])


if __name__ == "__main__":
    harness.main()
