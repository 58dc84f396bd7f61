#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The local S3 with unmodified clients: AWS CLI and boto3 of Debian, and curl."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import debian  # noqa: E402
import s3_client  # noqa: E402

COMMAND_TIMEOUT_SECONDS = 120
options = argparse.Namespace(server=None)


class Tools(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="integreat-s3-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.server = s3_client.Server(options.server, cls.folder / "data")
        cls.addClassCleanup(cls.server.stop)
        cls.server.start()
        cls.url = f"http://127.0.0.1:{cls.server.port}"

    def run_tool(self, *command: str) -> subprocess.CompletedProcess:
        secrets = {"AWS_ACCESS_KEY_ID": s3_client.KEY_ID, "AWS_SECRET_ACCESS_KEY": s3_client.SECRET}
        settings = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": str(self.folder / "config")}
        (self.folder / "config").write_text("[default]\ns3 =\n    signature_version = s3v4\n")
        return subprocess.run(
            command,
            env={**os.environ, **secrets, **settings},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_SECONDS,
        )

    def aws(self, *command: str) -> str:
        done = self.run_tool(debian.AWS, "--endpoint-url", self.url, *command)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_aws_cli(self):
        self.aws("s3", "mb", "s3://cli-bucket")
        tree = self.folder / "tree"
        (tree / "in ner").mkdir(parents=True)
        (tree / "small +.txt").write_text("small")
        (tree / "in ner" / "large").write_bytes(os.urandom(20_000_000))
        self.aws("s3", "sync", str(tree), "s3://cli-bucket/tree")
        self.aws("s3", "sync", "s3://cli-bucket/tree", str(self.folder / "back"))
        for name in ("small +.txt", "in ner/large"):
            self.assertEqual((tree / name).read_bytes(), (self.folder / "back" / name).read_bytes())
        self.aws("s3", "mv", "s3://cli-bucket/tree/small +.txt", "s3://cli-bucket/moved")
        listing = self.aws("s3", "ls", "s3://cli-bucket", "--recursive")
        self.assertEqual([line.split(None, 3)[3] for line in listing.splitlines()], ["moved", "tree/in ner/large"])
        url = self.aws("s3", "presign", "s3://cli-bucket/moved").strip()
        self.assertEqual(self.run_tool("curl", "--silent", "--fail", url).stdout, "small")
        missing = self.run_tool(
            debian.AWS, "--endpoint-url", self.url, "s3api", "get-object", "--bucket", "cli-bucket", "--key", "no", "out"
        )
        self.assertIn("(NoSuchKey) when calling the GetObject operation", missing.stderr)
        self.aws("s3", "rb", "--force", "s3://cli-bucket")

    def test_boto3(self):
        script = Path(__file__).with_name("s3_boto3.py")
        done = self.run_tool(debian.PYTHON, str(script), self.url)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_curl_signs_requests(self):
        hashed = ["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
        user = ["--user", f"{s3_client.KEY_ID}:{s3_client.SECRET}", "--aws-sigv4", "aws:amz:us-east-1:s3"]
        curl = ["curl", "--silent", "--fail-with-body", *user, *hashed]
        self.assertEqual(self.run_tool(*curl, "--request", "PUT", f"{self.url}/curl-bucket").returncode, 0)
        done = self.run_tool(*curl, "--upload-file", __file__, f"{self.url}/curl-bucket/key")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.run_tool(*curl, f"{self.url}/curl-bucket/key").stdout, Path(__file__).read_text())
        forged = self.run_tool(*[part.replace("wJalr", "wrong") for part in curl], f"{self.url}/curl-bucket/key")
        self.assertIn("<Code>SignatureDoesNotMatch</Code>", forged.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", type=Path, required=True)
    parser.parse_args(namespace=options)
    unittest.main(argv=[sys.argv[0], "--verbose"])


main()
