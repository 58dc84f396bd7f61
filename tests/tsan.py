#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds what has threads with ThreadSanitizer (the preset `threads`) and runs it: the unit tests of those
folders, then the whole program, which answers, relays, reloads, and stores objects under load. Fails on any
report."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import apps
import harness

sys.path.append(str(Path(__file__).resolve().parent / "cloud"))
import s3_client  # noqa: E402

BUILD = harness.ROOT / "build" / "threads"
# The other folders start no thread of their own; the whole program runs their code from several.
FOLDERS = ("metrics", "identity", "postgres", "gateway", "net", "cloud_sqlite", "cloud_s3")
NOTICES = """
collections:
  notices:
    title: Notice
    summary: What everybody at the school should know.
    fields:
      text: {type: text, required: true, max_length: 100}
    access:
      read: [{roles: [student]}]
      create: [{roles: [student]}]
"""
RELOADS = 20
LOAD_SECONDS = 8


def timed(what: str, began: float) -> None:
    print(f"{what}: {time.monotonic() - began:.0f} s", flush=True)


def build() -> None:
    began = time.monotonic()
    targets = ["integreat", *(f"integreat_{folder}_test" for folder in FOLDERS)]
    for command in (
        ["cmake", "--preset", "threads"],
        ["cmake", "--build", "--preset", "threads", "--target", *targets],
    ):
        done = subprocess.run(
            command, cwd=harness.ROOT, capture_output=True, text=True, timeout=1800, check=False
        )
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-8000:]}{done.stderr[-4000:]}")
    timed("built", began)


def test(folder: str) -> str:
    """Empty if it is clean; otherwise the end of what it said."""
    began = time.monotonic()
    done = subprocess.run(
        [str(BUILD / "src" / f"integreat_{folder}_test"), "--gtest_brief=1"],
        cwd=harness.ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=600,
        check=False,
    )
    timed(f"{folder}/", began)
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-8000:]


def store_objects(program: harness.Program, writer: int, until: float) -> None:
    """One client of the local S3: its own keys, and one that all of them write."""
    client = s3_client.Client(int(program.ready["aws"].rsplit(":", 1)[1]))
    bucket = "/" + program.ready["tenants"]["campus"]["bucket"]
    calls = 0
    while time.monotonic() < until:
        calls += 1
        body = bytes([calls % 256]) * (100_000 if calls % 10 == 0 else 100)
        for key in (f"{writer}/{calls}", "shared"):
            written = client.call("PUT", f"{bucket}/{key}", body)
            read = client.call("GET", f"{bucket}/{key}")
            if (written.status, read.status) != (200, 200) or (key != "shared" and read.body != body):
                raise AssertionError(f"{key}: {written.status} {read.status} {read.body[:300]!r}")
        listed = client.call("GET", f"{bucket}?list-type=2&prefix={writer}%2F")
        removed = client.call("DELETE", f"{bucket}/{writer}/{calls}")
        if (listed.status, removed.status) != (200, 204):
            raise AssertionError(f"{listed.status} {removed.status} {listed.body[:300]!r}")
    client.close()


def exchange(program: harness.Program, until: float) -> None:
    """The same user's token for an identity and for credentials, again and again."""
    tenant = program.ready["tenants"]["campus"]
    logins = {"Logins": {"securetoken.google.com/" + tenant["firebase_project"]: program.token("campus")}}

    def ask(operation: str, body: dict) -> dict:
        answer = harness.call(
            program.ready["aws"],
            "POST",
            "/",
            headers={"X-Amz-Target": f"AWSCognitoIdentityService.{operation}"},
            body={**body, **logins},
        )
        if answer.status != 200:
            raise AssertionError(f"{operation}: {answer.status} {answer.body[:300]!r}")
        return answer.json()

    while time.monotonic() < until:
        identity = ask("GetId", {"IdentityPoolId": tenant["identity_pool"]})["IdentityId"]
        ask("GetCredentialsForIdentity", {"IdentityId": identity})


def start_cloud_clients(program: harness.Program, failures: list[str]) -> list[threading.Thread]:
    lines = Path(program.ready["aws_credentials"]).read_text().splitlines()
    keys = dict(line.split(" = ") for line in lines if " = " in line)
    s3_client.KEY_ID, s3_client.SECRET = keys["aws_access_key_id"], keys["aws_secret_access_key"]
    until = time.monotonic() + LOAD_SECONDS

    def guarded(work, *arguments) -> None:
        try:
            work(program, *arguments, until)
        except Exception as failure:  # Of a thread: reported by who joins it.
            failures.append(f"{work.__name__}: {failure!r}")

    clients = [threading.Thread(target=guarded, args=(store_objects, writer)) for writer in range(4)]
    clients += [threading.Thread(target=guarded, args=(exchange,)) for _ in range(2)]
    for client in clients:
        client.start()
    return clients


def use(program: harness.Program, upstream: harness.Upstream) -> None:
    """All that happens at once in the life of the program: answers, relays, keys, logs, metrics, reloads, and
    its local cloud."""
    token = program.token("campus")
    ways = ("/v1/apps/campus/me", "/v1/apps/campus/portal/echo", "/v1/apps/campus/notices")
    loads = [
        threading.Thread(
            target=harness.load,
            args=(program.gateway, path, LOAD_SECONDS),
            kwargs={"connections": 8, "token": token},
        )
        for path in ways
    ]
    failures: list[str] = []
    loads += start_cloud_clients(program, failures)
    for load in loads[: len(ways)]:
        load.start()
    versions = [
        apps.campus(upstream.url) + NOTICES,
        apps.campus(upstream.url, extra_routes=apps.route("/second/{rest...}", "portal")) + NOTICES,
    ]
    for number in range(RELOADS):
        (program.manifests / "campus.yaml").write_text(versions[number % 2])
        program.reload()
        program.call(
            "POST",
            "/v1/apps/campus/orders/count",
            token=token,
            body={"n": number},
            headers={"Idempotency-Key": f"k{number}"},
        )
        made = program.call("POST", "/v1/apps/campus/notices", token=token, body={"text": f"notice {number}"})
        if made.status != 201:
            failures.append(f"a notice: {made.status} {made.body[:300]!r}")
        program.metrics()
        program.call("GET", "/readyz")
    created = program.cli(
        "key", "create", "--app", "campus", "--name", "threads", "--data", str(program.data_folder)
    )
    if created.returncode != 0:
        raise AssertionError(created.stdout + created.stderr)
    for load in loads:
        load.join()
    if failures:
        raise AssertionError("\n".join(failures))


def run_program() -> str:
    began = time.monotonic()
    harness.binary = BUILD / "src" / "integreat"
    upstream = harness.Upstream()
    with tempfile.TemporaryDirectory() as reports:
        program = harness.Program(environment={"TSAN_OPTIONS": f"log_path={reports}/report"})
        try:
            program.apps = apps.write(program.data / "apps", upstream.url, extra_routes=NOTICES)
            program.start()
            use(program, upstream)
            os.kill(program.pid, signal.SIGTERM)
            code = program.process.wait(60)
            log = program.log()[-4000:]
        finally:
            program.kill()
            program.remove()
            upstream.stop()
        said = "".join(report.read_text(errors="replace")[:8000] for report in Path(reports).iterdir())
    timed("the whole program", began)
    if said or code != 0:
        return f"ended with {code}\n{said or log}"
    return ""


def main() -> int:
    build()
    troubles = {folder: test(folder) for folder in FOLDERS}
    troubles["the whole program"] = run_program()
    for name, trouble in troubles.items():
        if trouble:
            print(f"{name}: {trouble}", file=sys.stderr)
    return 1 if any(troubles.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
