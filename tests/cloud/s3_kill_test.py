#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the local S3 at random moments of mixed writes: acknowledged writes are stored byte for byte, others are
stored completely or not at all, listings agree, and no unreferenced file remains."""

import argparse
import hashlib
import http.client
import os
import random
import re
import shutil
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import s3_client  # noqa: E402

BUCKET = "a-bucket"
WRITERS = 4
KEYS_PER_WRITER = 12
PART_BYTES = 5 * 1024 * 1024
INLINE_BYTES = 32 * 1024

options = argparse.Namespace(server=None, kills=harness.rounds(200), seed=None)


def compute_etag(parts: list[bytes]) -> str:
    if len(parts) == 1:
        return hashlib.md5(parts[0]).hexdigest()
    return hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest() + f"-{len(parts)}"


class State:
    """The state of a key: absent, or an object with its hash."""

    def __init__(self, parts: list[bytes] | None) -> None:
        self.etag = compute_etag(parts) if parts else None
        self.sha = hashlib.sha256(b"".join(parts)).hexdigest() if parts else None


ABSENT = State(None)


class Writer(threading.Thread):
    """Writes its own keys, one write after the other, until the server is killed."""

    def __init__(self, number: int, port: int, seed: int, states: dict[str, State]) -> None:
        super().__init__()
        self.number, self.port, self.random = number, port, random.Random(seed)
        self.states = states  # Last acknowledged state by key; shared by all rounds, with separate keys for each writer.
        self.pending: tuple[str, State] | None = None
        self.acknowledged = 0

    def run(self) -> None:
        client = s3_client.Client(self.port)
        try:
            while True:
                self.write(client)
        except (OSError, http.client.HTTPException):
            pass  # The server was killed during a request.
        finally:
            client.close()

    def write(self, client: s3_client.Client) -> None:
        key = f"w{self.number}/{self.random.randrange(KEYS_PER_WRITER)}"
        kind = self.random.choices(["small", "large", "delete", "copy", "parts"], [50, 20, 10, 10, 3])[0]
        if kind == "delete":
            self.attempt(key, ABSENT, lambda: client.call("DELETE", f"/{BUCKET}/{key}"))
        elif kind == "copy":
            source = f"w{self.number}/{self.random.randrange(KEYS_PER_WRITER)}"
            state = self.states.get(source, ABSENT)
            if source != key and state.sha and "-" not in state.etag:
                source_header = {"x-amz-copy-source": f"{BUCKET}/{source}"}
                self.attempt(key, state, lambda: client.call("PUT", f"/{BUCKET}/{key}", b"", source_header))
        elif kind == "parts":
            self.upload(client, key)
        else:
            size = self.random.randrange(8_000) if kind == "small" else self.random.randrange(33_000, 300_000)
            body = self.random.randbytes(size)
            self.attempt(key, State([body]), lambda: client.call("PUT", f"/{BUCKET}/{key}", body))

    def upload(self, client: s3_client.Client, key: str) -> None:
        parts = [self.random.randbytes(PART_BYTES), self.random.randbytes(1_000)]
        created = client.call("POST", f"/{BUCKET}/{key}?uploads")
        upload = re.search(b"<UploadId>(.*?)</UploadId>", created.body).group(1).decode()
        listed = ""
        for number, part in enumerate(parts, 1):
            sent = client.call("PUT", f"/{BUCKET}/{key}?partNumber={number}&uploadId={upload}", part)
            listed += f"<Part><ETag>{sent.headers['ETag']}</ETag><PartNumber>{number}</PartNumber></Part>"
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        self.attempt(key, State(parts), lambda: client.call("POST", f"/{BUCKET}/{key}?uploadId={upload}", body))

    def attempt(self, key: str, state: State, send) -> None:
        self.pending = (key, state)
        response = send()
        if response.status not in (200, 204):
            raise RuntimeError(f"{key}: {response.status} {response.body!r}")
        self.states[key] = state
        self.pending = None
        self.acknowledged += 1


class Kill(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="integreat-s3-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.server = s3_client.Server(options.server, self.folder)
        self.addCleanup(self.server.stop)

    def test_acknowledged_writes_survive_every_kill(self):
        seed = options.seed or int.from_bytes(os.urandom(4), "big")
        print(f"seed {seed}", file=sys.stderr)
        rng = random.Random(seed)
        states: dict[str, State] = {}
        acknowledged = pending = committed = 0
        self.server.start()
        self.client().call("PUT", f"/{BUCKET}")
        for kill in range(options.kills):
            writers = [Writer(n, self.server.port, rng.randrange(1 << 30), states) for n in range(WRITERS)]
            for writer in writers:
                writer.start()
            time.sleep(rng.uniform(0.02, 0.4))
            self.server.kill()
            for writer in writers:
                writer.join()
            self.server.start()
            acknowledged += sum(writer.acknowledged for writer in writers)
            for writer in writers:
                if writer.pending:
                    pending += 1
                    committed += self.resolve(states, *writer.pending)
            self.check(states, f"after kill {kill + 1} (seed {seed})")
        print(
            f"{options.kills} kills, {acknowledged} acknowledged writes, {pending} others of which {committed} had been "
            "committed",
            file=sys.stderr,
        )
        self.assertGreater(acknowledged, options.kills)
        self.assertGreater(pending, options.kills // 4)

    def client(self) -> s3_client.Client:
        client = s3_client.Client(self.server.port)
        self.addCleanup(client.close)
        return client

    def resolve(self, states: dict[str, State], key: str, new: State) -> bool:
        """Checks that an unacknowledged write happened completely or not at all. Returns whether it was committed."""
        etag = self.client().list(BUCKET).get(key)
        old = states.get(key, ABSENT)
        self.assertIn(etag, (old.etag, new.etag), f"{key} has neither its old nor its new content")
        if etag == new.etag:
            states[key] = new
        return etag == new.etag and new.etag != old.etag

    def check(self, states: dict[str, State], when: str) -> None:
        client = self.client()
        present = {key: state for key, state in states.items() if state.sha}
        self.assertEqual(client.list(BUCKET), {key: state.etag for key, state in present.items()}, when)
        files = 0
        for key, state in present.items():
            got = client.call("GET", f"/{BUCKET}/{key}")
            self.assertEqual(got.status, 200, f"{key} {when}")
            self.assertEqual(hashlib.sha256(got.body).hexdigest(), state.sha, f"{key} {when}")
            self.assertEqual(got.headers["ETag"], f'"{state.etag}"', f"{key} {when}")
            files += len(got.body) > INLINE_BYTES
        uploads = client.call("GET", f"/{BUCKET}?uploads").body
        for key, upload in re.findall(b"<Key>(.*?)</Key><UploadId>(.*?)</UploadId>", uploads):
            client.call("DELETE", f"/{BUCKET}/{key.decode()}?uploadId={upload.decode()}")
        remaining = [path for path in self.folder.rglob("*") if path.is_file() and path.name.isdigit()]
        self.assertEqual(len(remaining), files, f"files without an object {when}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=harness.rounds(200))
    parser.add_argument("--seed", type=int)
    parser.parse_args(namespace=options)
    unittest.main(argv=[sys.argv[0], "--verbose"])


main()
