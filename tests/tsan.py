#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the unit tests of some components and the program with ThreadSanitizer (preset threads) and runs
them. The program serves, proxies, reloads, and stores objects under load. Fails on any report."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402
import s3_client  # noqa: E402

BUILD = harness.ROOT / "build" / "threads"
# The whole program calls the code of the other components from several threads.
COMPONENTS = ("base", "metrics", "identity", "postgres", "gateway", "net", "cloud_sqlite", "cloud_s3")
NOTICES = """
collections:
  notices:
    title: Notice
    summary: News for the whole school.
    fields:
      text: {type: text, required: true, max_length: 100}
    access:
      read: [{roles: [student]}]
      create: [{roles: [student]}]
"""
RELOADS = 20
LOAD_SECONDS = harness.rounds(8)


def print_time(step: str, began: float) -> None:
    print(f"{step}: {time.monotonic() - began:.0f} s", flush=True)


def build() -> None:
    """Builds the targets that run below, once per change of the sources."""
    began = time.monotonic()
    targets = ["integreat", *(f"integreat_{component}_test" for component in COMPONENTS)]
    for command in (
        ["cmake", "--preset", "threads"],
        ["cmake", "--build", "--preset", "threads", "--target", *targets],
    ):
        done = subprocess.run(
            command, cwd=harness.ROOT, capture_output=True, text=True, timeout=1800, check=False
        )
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-8000:]}{done.stderr[-4000:]}")
    print_time("built", began)


def run_unit_tests(component: str) -> str:
    """Returns the end of the output if the tests fail, else an empty text."""
    began = time.monotonic()
    done = subprocess.run(
        [str(BUILD / "src" / f"integreat_{component}_test"), "--gtest_brief=1"],
        cwd=harness.ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=600,
        check=False,
    )
    print_time(f"tests of {component}", began)
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-8000:]


def store_objects(program: harness.Program, writer: int, deadline: float) -> None:
    """Runs a client of the local S3 that writes keys of its own and one that all clients write."""
    client = s3_client.Client(int(program.ready["aws"].rsplit(":", 1)[1]))
    bucket = "/" + program.ready["tenants"]["campus"]["bucket"]
    calls = 0
    while time.monotonic() < deadline:
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


def exchange_tokens(program: harness.Program, deadline: float) -> None:
    """Exchanges the same token for an identity and for credentials repeatedly."""
    tenant = program.ready["tenants"]["campus"]
    logins = {"Logins": {"securetoken.google.com/" + tenant["firebase_project"]: program.token("campus")}}

    def call(operation: str, body: dict) -> dict:
        response = harness.call(
            program.ready["aws"],
            "POST",
            "/",
            headers={"X-Amz-Target": f"AWSCognitoIdentityService.{operation}"},
            body={**body, **logins},
        )
        if response.status != 200:
            raise AssertionError(f"{operation}: {response.status} {response.body[:300]!r}")
        return response.json()

    while time.monotonic() < deadline:
        identity = call("GetId", {"IdentityPoolId": tenant["identity_pool"]})["IdentityId"]
        call("GetCredentialsForIdentity", {"IdentityId": identity})


def start_cloud_clients(program: harness.Program, failures: list[str]) -> list[threading.Thread]:
    lines = Path(program.ready["aws_credentials"]).read_text().splitlines()
    keys = dict(line.split(" = ") for line in lines if " = " in line)
    s3_client.KEY_ID, s3_client.SECRET = keys["aws_access_key_id"], keys["aws_secret_access_key"]
    deadline = time.monotonic() + LOAD_SECONDS

    def run_client(work, *arguments) -> None:
        try:
            work(program, *arguments, deadline)
        except Exception as failure:  # Reported after the threads are joined.
            failures.append(f"{work.__name__}: {failure!r}")

    clients = [threading.Thread(target=run_client, args=(store_objects, writer)) for writer in range(4)]
    clients += [threading.Thread(target=run_client, args=(exchange_tokens,)) for _ in range(2)]
    for client in clients:
        client.start()
    return clients


def use(program: harness.Program, upstream: harness.Upstream) -> None:
    """Uses all functions of the program concurrently: routes, proxying, API keys, logs, metrics, reloads and the local
    cloud."""
    token = program.token("campus")
    paths = ("/v1/apps/campus/me", "/v1/apps/campus/portal/echo", "/v1/apps/campus/notices")
    loads = [
        threading.Thread(
            target=harness.load,
            args=(program.gateway, path, LOAD_SECONDS),
            kwargs={"connections": 8, "token": token},
        )
        for path in paths
    ]
    failures: list[str] = []
    loads += start_cloud_clients(program, failures)
    for load in loads[: len(paths)]:
        load.start()
    versions = [
        manifests.campus(upstream.url) + NOTICES,
        manifests.campus(upstream.url, extra_routes=manifests.route("/second/{rest...}", "portal")) + NOTICES,
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
        response = program.call("POST", "/v1/apps/campus/notices", token=token, body={"text": f"notice {number}"})
        if response.status != 201:
            failures.append(f"a notice: {response.status} {response.body[:300]!r}")
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
            program.apps = manifests.write_manifests(program.data / "apps", upstream.url, extra_routes=NOTICES)
            program.start()
            use(program, upstream)
            os.kill(program.pid, signal.SIGTERM)
            code = program.process.wait(60)
            log = program.log()[-4000:]
        finally:
            program.kill()
            program.remove()
            upstream.stop()
        output = "".join(report.read_text(errors="replace")[:8000] for report in Path(reports).iterdir())
    print_time("the whole program", began)
    if output or code != 0:
        return f"ended with {code}\n{output or log}"
    return ""


def main() -> int:
    build()
    failures = {component: run_unit_tests(component) for component in COMPONENTS}
    failures["the whole program"] = run_program()
    for name, failure in failures.items():
        if failure:
            print(f"{name}: {failure}", file=sys.stderr)
    return 1 if any(failures.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
