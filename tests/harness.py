# SPDX-License-Identifier: Apache-2.0
"""Starts the program as a person does and talks to it over real sockets.

A test file ends in `harness.main()`, which takes `--binary PATH` (default: the release build, else the debug
build) and hands the rest to unittest. Everything lives in a temporary folder and on ports the system chose;
processes are ended by their id.
"""

import atexit
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
PSQL = ["psql", "-X", "-qAt", "-v", "ON_ERROR_STOP=1"]  # In the environment of Program.database.
START_SECONDS_MAX = 90  # The debug build under load; the figures that matter are measured, not this.


def find_binary() -> Path:
    for build in ("release", "debug"):
        place = ROOT / "build" / build / "src" / "integreat"
        if place.exists():
            return place
    sys.exit("no integreat program below build/: build one first, or say --binary PATH")


binary: Path | None = None


def program_path() -> Path:
    return binary or find_binary()


def is_release() -> bool:
    return "release" in program_path().parts


def main(measures: bool = False) -> None:
    """A test that `measures` prefers the release build, if there is one: figures of a debug build say nothing."""
    global binary
    if "--binary" in sys.argv:
        at = sys.argv.index("--binary")
        binary = Path(sys.argv[at + 1]).resolve()
        del sys.argv[at : at + 2]
    release = ROOT / "build" / "release" / "src" / "integreat"
    if measures and release.exists():
        binary = release
    unittest.main(module="__main__")


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)


def call(
    base: str,
    method: str,
    path: str,
    *,
    token: str = "",
    body: bytes | dict | None = None,
    headers: dict[str, str] | None = None,
    timeout: float = 30,
    endless: bool = False,
) -> Answer:
    """One request on its own connection. Of what is `endless`, only a refusal is read."""
    sent = dict(headers or {})
    if token:
        sent["Authorization"] = f"Bearer {token}"
    if isinstance(body, dict):
        body = json.dumps(body).encode()
        sent.setdefault("Content-Type", "application/json")
    where = urlsplit(base)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=sent)
        answer = connection.getresponse()
        unread = endless and answer.status == 200
        return Answer(answer.status, answer.headers, b"" if unread else answer.read())
    finally:
        connection.close()


def make_folder() -> Path:
    """A temporary folder that others may pass through: started by root, the database runs as another user."""
    folder = Path(tempfile.mkdtemp(prefix="integreat-"))
    folder.chmod(0o711)
    return folder


def end_at_exit(process: subprocess.Popen) -> None:
    """Whatever a test forgets or never gets to, it must not outlive us."""
    atexit.register(lambda: process.poll() is None and process.kill())


def wait_until(true, seconds: float, what: str, every: float = 0.05):
    """The first true value of `true()`; fails the test, saying `what`, if there is none in time."""
    until = time.monotonic() + seconds
    while True:
        found = true()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(every)


@dataclass
class Running:
    """A process at this moment."""

    parent: int
    name: str
    ticks: int  # Of CPU time, user and system.


def processes() -> dict[int, Running]:
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            text = Path("/proc", entry, "stat").read_text()
        except OSError:
            continue
        fields = text[text.rindex(")") + 2 :].split()
        name = text[text.index("(") + 1 : text.rindex(")")]
        found[int(entry)] = Running(int(fields[1]), name, int(fields[11]) + int(fields[12]))
    return found


def tree_of(root: int) -> dict[int, str]:
    """The processes below `root`, itself included: pid → name."""
    everything = processes()
    inside = {root} if root in everything else set()
    while True:
        more = {pid for pid, running in everything.items() if running.parent in inside} - inside
        if not more:
            return {pid: everything[pid].name for pid in inside}
        inside |= more


def memory_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"process {pid} has no VmRSS")


@dataclass
class Program:
    """`integreat dev` with its own data folder."""

    apps: Path = ROOT / "apps"  # Copied: a test may change its manifests.
    data: Path = field(default_factory=make_folder)
    settings: str = ""  # Of integreat.yaml.
    arguments: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)  # taskset, prlimit: what the command line begins with.
    process: subprocess.Popen | None = None
    ready: dict = field(default_factory=dict)
    start_seconds: float = 0
    _tokens: dict = field(default_factory=dict)

    @property
    def gateway(self) -> str:
        return self.ready["gateway"]

    @property
    def pid(self) -> int:
        return self.ready["pid"]

    @property
    def data_folder(self) -> Path:
        return self.data / "data"

    @property
    def configuration(self) -> Path:
        return self.data / "configuration"

    @property
    def manifests(self) -> Path:
        return self.configuration / "apps"

    @property
    def places(self) -> list[str]:
        """The option that tells any command which configuration is meant."""
        return ["--config", str(self.configuration)]

    @property
    def log_file(self) -> Path:
        return self.data / "test-output.log"

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def write_configuration(self) -> None:
        """Once: what a test has changed since stays as it is when the program starts again."""
        if not self.configuration.exists():
            self.manifests.mkdir(parents=True)
            (self.configuration / "integreat.yaml").write_text(self.settings)
            for manifest in self.apps.glob("*.yaml"):
                shutil.copy(manifest, self.manifests)
            if (self.apps / "seed").exists():
                shutil.copytree(self.apps / "seed", self.manifests / "seed")

    def start(self, ports: str = "auto") -> "Program":
        ready_file = self.data / "test-ready.json"
        self.write_configuration()
        ready_file.unlink(missing_ok=True)
        command = [
            *self.before,
            str(program_path()),
            "dev",
            "--data",
            str(self.data_folder),
            "--ready-file",
            str(ready_file),
            "--ports",
            ports,
            *self.places,
            *self.arguments,
        ]
        began = time.monotonic()
        with open(self.log_file, "ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.environment},
                cwd=self.data,
            )
        end_at_exit(self.process)

        def answered():
            if self.process.poll() is not None:
                raise AssertionError(
                    f"integreat dev ended with {self.process.returncode}:\n{self.log()[-4000:]}"
                )
            return ready_file.exists()

        try:
            wait_until(answered, START_SECONDS_MAX, "the ready-file of integreat dev", every=0.005)
        except AssertionError as late:
            self.kill()
            raise AssertionError(f"{late}\n{self.log()[-4000:]}") from late
        self.start_seconds = time.monotonic() - began
        self.ready = json.loads(ready_file.read_text())
        return self

    def stop(self, seconds: float = 30) -> int:
        """SIGTERM; the exit code. A program that does not end in time fails the test."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {seconds:g} s after SIGTERM\n{self.log()[-4000:]}") from None
        self.process = None
        return code

    def kill(self) -> None:
        """SIGKILL of the program alone, as the out-of-memory killer would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def remove(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.data, ignore_errors=True)

    def reload(self) -> None:
        os.kill(self.pid, signal.SIGHUP)

    def cli(self, *arguments: str, timeout: float = 60, **more) -> subprocess.CompletedProcess:
        """The same binary as a command. Where the first word takes --data, it is told ours."""
        return subprocess.run(
            [str(program_path()), *arguments],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={**os.environ, **self.environment},
            cwd=self.data,
            **more,
        )

    def call(self, method: str, path: str, **more) -> Answer:
        return call(self.gateway, method, path, **more)

    def token(self, app: str, role: str | None = None) -> str:
        """The ID token of a ready-made user, by a real sign-in; kept, because tokens last an hour."""
        user = next(user for user in self.ready["tenants"][app]["users"] if role in (None, user["role"]))
        key = (app, user["email"])
        if key not in self._tokens:
            self._tokens[key] = self.sign_in(app, user["email"], user["password"])["idToken"]
        return self._tokens[key]

    def sign_in(self, app: str, email: str, password: str) -> dict:
        api_key = self.ready["tenants"][app]["firebase_api_key"]
        answer = call(
            self.ready["firebase"],
            "POST",
            f"/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key={api_key}",
            body={"email": email, "password": password, "returnSecureToken": True},
        )
        if answer.status != 200:
            raise AssertionError(f"sign-in of {email} to {app}: {answer.status} {answer.body[:400]!r}")
        return answer.json()

    def database(self, name: str, login: bool = False) -> dict[str, str]:
        """The environment in which Postgres's own tools reach a database of this program: as the superuser, whom
        nothing binds, or as the login role that serves requests."""
        folder = self.data_folder / "postgres"
        password = folder / "passwords" / name if login else folder / "superuser-password"
        return {
            **os.environ,
            "PGHOST": (folder / "socket-folder").read_text().strip(),
            "PGDATABASE": name,
            "PGUSER": f"{name}_app" if login else "integreat_superuser",
            "PGPASSWORD": password.read_text().strip(),
        }

    def metrics(self) -> dict[str, float]:
        """Each series, with its labels as in the text: 'name{label="x"}' → value."""
        found = {}
        for line in self.call("GET", "/metrics").body.decode().splitlines():
            if line and not line.startswith("#"):
                series, value = line.rsplit(" ", 1)
                found[series] = float(value)
        return found


def metric_sum(metrics: dict[str, float], name: str, *labels: str) -> float:
    """All series of a name whose text contains each of `labels`."""
    return sum(
        value
        for series, value in metrics.items()
        if series.split("{")[0] == name and all(label in series for label in labels)
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Upstream:
    """tests/upstream.py in a process of its own, so that it does not share our interpreter."""

    def __init__(self, port: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "upstream.py"), "--port", str(port)],
            stdout=subprocess.PIPE,
            text=True,
        )
        end_at_exit(self.process)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the test upstream did not start on port {port}")
        self.port = int(line)
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        self.process.stdout.close()

    def counts(self) -> dict:
        return call(self.url, "GET", "/counts").json()


def wrk(base: str, requests: str, seconds: float, connections: int, before: list[str]) -> dict:
    """What bench/gateway/load.lua reports; `requests` has a path and a token in each line, by turns."""
    command = [*before, "wrk", "--threads", "1", "--connections", str(connections)]
    command += ["--duration", f"{seconds:g}s", "--timeout", "20s"]
    command += ["--script", str(ROOT / "bench" / "gateway" / "load.lua"), base, "--", "/dev/stdin"]
    done = subprocess.run(
        command, input=requests, capture_output=True, text=True, timeout=seconds + 60, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode != 0 or not lines:
        raise AssertionError(f"wrk against {base} failed: {done.stdout}{done.stderr}")
    return json.loads(lines[0].removeprefix("RESULT "))


def load(base: str, path: str, seconds: float, *, connections: int = 16, token: str = "") -> dict:
    """wrk against one path: how many answers, how many of them not 2xx, how many connections broke."""
    return wrk(base, f"{path}\t{token}\n", seconds, connections, [])
