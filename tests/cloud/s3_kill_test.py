#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the local S3 at random moments of mixed writes: what was answered is there byte for byte, what was
not is there whole or not at all, listings agree, and nothing is left lying about."""

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
import s3_client  # noqa: E402

BUCKET = "a-bucket"
WRITERS = 4
KEYS_PER_WRITER = 12
PART_BYTES = 5 * 1024 * 1024
INLINE_BYTES = 32 * 1024

options = argparse.Namespace(server=None, kills=200, seed=None)


def etag_of(parts: list[bytes]) -> str:
    if len(parts) == 1:
        return hashlib.md5(parts[0]).hexdigest()
    return hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest() + f"-{len(parts)}"


class State:
    """What a key is: absent, or bytes known by their hash."""

    def __init__(self, parts: list[bytes] | None) -> None:
        self.etag = etag_of(parts) if parts else None
        self.sha = hashlib.sha256(b"".join(parts)).hexdigest() if parts else None


ABSENT = State(None)


class Writer(threading.Thread):
    """Writes its own keys, one write after the other, until the server is gone."""

    def __init__(self, number: int, port: int, seed: int, states: dict[str, State]) -> None:
        super().__init__()
        self.number, self.port, self.random = number, port, random.Random(seed)
        self.states = states  # By key, as last answered; shared by the rounds, each writer has its own keys.
        self.unanswered: tuple[str, State] | None = None
        self.answered = 0

    def run(self) -> None:
        client = s3_client.Client(self.port)
        try:
            while True:
                self.write(client)
        except (OSError, http.client.HTTPException):
            pass  # Killed in the middle: what this is about.
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
                more = {"x-amz-copy-source": f"{BUCKET}/{source}"}
                self.attempt(key, state, lambda: client.call("PUT", f"/{BUCKET}/{key}", b"", more))
        elif kind == "parts":
            self.upload(client, key)
        else:
            size = self.random.randrange(8_000) if kind == "small" else self.random.randrange(33_000, 300_000)
            body = self.random.randbytes(size)
            self.attempt(key, State([body]), lambda: client.call("PUT", f"/{BUCKET}/{key}", body))

    def upload(self, client: s3_client.Client, key: str) -> None:
        parts = [self.random.randbytes(PART_BYTES), self.random.randbytes(1_000)]
        begun = client.call("POST", f"/{BUCKET}/{key}?uploads")
        upload = re.search(b"<UploadId>(.*?)</UploadId>", begun.body).group(1).decode()
        listed = ""
        for number, part in enumerate(parts, 1):
            sent = client.call("PUT", f"/{BUCKET}/{key}?partNumber={number}&uploadId={upload}", part)
            listed += f"<Part><ETag>{sent.headers['ETag']}</ETag><PartNumber>{number}</PartNumber></Part>"
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        self.attempt(key, State(parts), lambda: client.call("POST", f"/{BUCKET}/{key}?uploadId={upload}", body))

    def attempt(self, key: str, state: State, send) -> None:
        self.unanswered = (key, state)
        answer = send()
        if answer.status not in (200, 204):
            raise RuntimeError(f"{key}: {answer.status} {answer.body!r}")
        self.states[key] = state
        self.unanswered = None
        self.answered += 1


class Kill(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="integreat-s3-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.server = s3_client.Server(options.server, self.folder)
        self.addCleanup(self.server.stop)

    def test_what_was_answered_survives_every_kill(self):
        seed = options.seed or int.from_bytes(os.urandom(4), "big")
        print(f"seed {seed}", file=sys.stderr)
        chance = random.Random(seed)
        states: dict[str, State] = {}
        answered = unanswered = committed = 0
        self.server.start()
        self.client().call("PUT", f"/{BUCKET}")
        for kill in range(options.kills):
            writers = [Writer(n, self.server.port, chance.randrange(1 << 30), states) for n in range(WRITERS)]
            for writer in writers:
                writer.start()
            time.sleep(chance.uniform(0.02, 0.4))
            self.server.kill()
            for writer in writers:
                writer.join()
            self.server.start()
            answered += sum(writer.answered for writer in writers)
            for writer in writers:
                if writer.unanswered:
                    unanswered += 1
                    committed += self.settle(states, *writer.unanswered)
            self.check(states, f"after kill {kill + 1} (seed {seed})")
        print(
            f"{options.kills} kills, {answered} answered writes, {unanswered} unanswered of which {committed} had "
            "been committed",
            file=sys.stderr,
        )
        self.assertGreater(answered, options.kills)
        self.assertGreater(unanswered, options.kills // 4)

    def client(self) -> s3_client.Client:
        client = s3_client.Client(self.server.port)
        self.addCleanup(client.close)
        return client

    def settle(self, states: dict[str, State], key: str, new: State) -> bool:
        """The write that nobody was told about happened whole or not at all."""
        shown = self.client().list(BUCKET).get(key)
        old = states.get(key, ABSENT)
        self.assertIn(shown, (old.etag, new.etag), f"{key} is neither what it was nor what it was to become")
        if shown == new.etag:
            states[key] = new
        return shown == new.etag and new.etag != old.etag

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
        left = [path for path in self.folder.rglob("*") if path.is_file() and path.name.isdigit()]
        self.assertEqual(len(left), files, f"files without an object {when}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int)
    parser.parse_args(namespace=options)
    unittest.main(argv=[sys.argv[0], "--verbose"])


main()
