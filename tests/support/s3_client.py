# SPDX-License-Identifier: Apache-2.0
"""Starts s3_server, the local S3 alone, and sends it signed requests without an SDK."""

import datetime
import hashlib
import hmac
import http.client
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
START_TIMEOUT_SECONDS = 60


class Server:
    """One s3_server process on a folder; it can be killed and started again."""

    def __init__(self, program: Path, folder: Path, threads: int = 2) -> None:
        self.command = [str(program), str(folder), str(threads)]
        self.process: subprocess.Popen | None = None
        self.port = 0

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.command} did not start: exit code {self.process.wait(START_TIMEOUT_SECONDS)}")
        self.port = int(line)

    def kill(self) -> None:
        self.process.kill()
        self.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.stdin.close()
            self.wait()

    def wait(self) -> None:
        self.process.wait(START_TIMEOUT_SECONDS)
        self.process.stdout.close()
        if not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass


def signed_headers(
    method: str, target: str, host: str, extra: dict[str, str], payload: str = "UNSIGNED-PAYLOAD"
) -> dict[str, str]:
    """Returns headers with a signature version 4 over the host, the date, the extra headers and the payload hash."""
    path, _, query = target.partition("?")
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": host, "x-amz-content-sha256": payload, "x-amz-date": now, **extra}
    names = ";".join(sorted(headers))
    pairs = sorted(pair if "=" in pair else pair + "=" for pair in query.split("&") if pair)
    canonical = "\n".join(
        [method, path, "&".join(pairs), *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names]
        + [payload]
    )
    scope = f"{now[:8]}/us-east-1/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = b"AWS4" + SECRET.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest}".encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


@dataclass
class Response:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Client:
    """A client with one persistent connection."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def close(self) -> None:
        self.connection.close()

    def call(self, method: str, target: str, body: bytes = b"", extra: dict[str, str] | None = None) -> Response:
        headers = signed_headers(method, target, self.host, extra or {})
        self.connection.request(method, target, body if method in ("PUT", "POST") else None, headers)
        response = self.connection.getresponse()
        return Response(response.status, response.headers, response.read())

    def list(self, bucket: str) -> dict[str, str]:
        """Returns the ETags of all objects by key."""
        found: dict[str, str] = {}
        token = ""
        while True:
            response = self.call("GET", f"/{bucket}?list-type=2" + (f"&continuation-token={token}" if token else ""))
            text = response.body.decode()
            for key, etag in re.findall(r"<Key>(.*?)</Key>.*?<ETag>&quot;(.*?)&quot;</ETag>", text):
                found[key] = etag
            again = re.search("<NextContinuationToken>(.*?)</NextContinuationToken>", text)
            if not again:
                return found
            token = quote(again.group(1), safe="")
