# SPDX-License-Identifier: Apache-2.0
"""Starts the program with its command line and sends it requests over sockets.

A test file ends in `harness.main()`, which takes `--binary PATH` (default: the release build, else the debug
build) and passes the other arguments to unittest. All files are in a temporary folder, all ports are chosen by the
system, and processes are killed by their id.
"""

import atexit
import http.client
import json
import os
import random
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

ROOT = Path(__file__).resolve().parents[2]
PSQL = ["psql", "-X", "-qAt", "-v", "ON_ERROR_STOP=1"]  # To be run with the environment of Program.database.
START_TIMEOUT_SECONDS = 90  # Enough for the debug build under load; tests of the start time measure it.


LONG_FACTOR = 5  # Rounds of randomized tests under `./dev test --long`, relative to the normal run.


def rounds(count: int) -> int:
    """Returns the number of rounds of a randomized test: `count`, or a multiple under `./dev test --long`."""
    return count * LONG_FACTOR if os.environ.get("INTEGREAT_LONG_TESTS") else count


def find_binary() -> Path:
    for build in ("release", "debug"):
        path = ROOT / "build" / build / "src" / "integreat"
        if path.exists():
            return path
    sys.exit("no integreat program below build/: build one first or use --binary PATH")


binary: Path | None = None


def program_path() -> Path:
    return binary or find_binary()


def is_release() -> bool:
    return "release" in program_path().parts


def main(measures: bool = False) -> None:
    """Runs the tests of the file. A test that `measures` prefers the release build, because measurements of a debug build
    mean nothing."""
    global binary
    if "--binary" in sys.argv:
        index = sys.argv.index("--binary")
        binary = Path(sys.argv[index + 1]).resolve()
        del sys.argv[index : index + 2]
    release = ROOT / "build" / "release" / "src" / "integreat"
    if measures and release.exists():
        binary = release
    unittest.main(module="__main__")


@dataclass
class Response:
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
    streaming: bool = False,
) -> Response:
    """Sends one request on its own connection. The body of a `streaming` response with status 200 is not read."""
    fields = dict(headers or {})
    if token:
        fields["Authorization"] = f"Bearer {token}"
    if isinstance(body, dict):
        body = json.dumps(body).encode()
        fields.setdefault("Content-Type", "application/json")
    url = urlsplit(base)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=fields)
        response = connection.getresponse()
        unread = streaming and response.status == 200
        return Response(response.status, response.headers, b"" if unread else response.read())
    finally:
        connection.close()


def make_folder() -> Path:
    """Creates a temporary folder that other users can traverse: started by root, the database runs as another user."""
    folder = Path(tempfile.mkdtemp(prefix="integreat-"))
    folder.chmod(0o711)
    return folder


def kill_at_exit(process: subprocess.Popen) -> None:
    """Kills the process at the exit of this interpreter if no test has ended it."""
    atexit.register(lambda: process.poll() is None and process.kill())


def wait_until(condition, seconds: float, description: str, every: float = 0.05):
    """Calls `condition()` every `every` seconds and returns its first true value. Fails the test with the description
    after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {description}")
        time.sleep(every)


@dataclass
class ProcessStat:
    """The state of a process, from /proc/PID/stat."""

    parent: int
    name: str
    ticks: int  # User and system CPU time, in clock ticks.


def processes() -> dict[int, ProcessStat]:
    """Returns all processes of the machine by their ids."""
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
        found[int(entry)] = ProcessStat(int(fields[1]), name, int(fields[11]) + int(fields[12]))
    return found


def process_tree(root: int) -> dict[int, str]:
    """Returns the names of the process `root` and its descendants by their ids."""
    everything = processes()
    tree = {root} if root in everything else set()
    while True:
        children = {pid for pid, stat in everything.items() if stat.parent in tree} - tree
        if not children:
            return {pid: everything[pid].name for pid in tree}
        tree |= children


def resident_kib(pid: int) -> int:
    """Returns the resident memory of a process in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"process {pid} has no VmRSS")


@dataclass
class Program:
    """`integreat dev` with a data folder and a configuration of its own."""

    apps: Path = ROOT / "apps"  # Copied, so that a test can change the manifests.
    data: Path = field(default_factory=make_folder)
    settings: str = ""  # Content of integreat.yaml.
    arguments: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    command_prefix: list[str] = field(default_factory=list)  # For example taskset with its options.
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
    def config_options(self) -> list[str]:
        """Command-line options that select the configuration of this program."""
        return ["--config", str(self.configuration)]

    @property
    def log_file(self) -> Path:
        return self.data / "test-output.log"

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def write_configuration(self) -> None:
        """Writes settings and manifests, unless they exist: a restart keeps the changes of a test."""
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
            *self.command_prefix,
            str(program_path()),
            "dev",
            "--data",
            str(self.data_folder),
            "--ready-file",
            str(ready_file),
            "--ports",
            ports,
            *self.config_options,
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
        kill_at_exit(self.process)

        def is_ready():
            if self.process.poll() is not None:
                raise AssertionError(
                    f"integreat dev ended with {self.process.returncode}:\n{self.log()[-4000:]}"
                )
            return ready_file.exists()

        try:
            wait_until(is_ready, START_TIMEOUT_SECONDS, "integreat dev writes its ready file", every=0.005)
        except AssertionError as failure:
            self.kill()
            raise AssertionError(f"{failure}\n{self.log()[-4000:]}") from failure
        self.start_seconds = time.monotonic() - began
        self.ready = json.loads(ready_file.read_text())
        return self

    def stop(self, seconds: float = 30) -> int:
        """Sends SIGTERM and returns the exit code. Fails the test if the program does not end in time."""
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
        """Sends SIGKILL to the program, not to its children, as the out-of-memory killer does."""
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

    def cli(self, *arguments: str, timeout: float = 60, **options) -> subprocess.CompletedProcess:
        """Runs a command of the same binary; `options` are those of subprocess.run."""
        return subprocess.run(
            [str(program_path()), *arguments],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={**os.environ, **self.environment},
            cwd=self.data,
            **options,
        )

    def call(self, method: str, path: str, **options) -> Response:
        return call(self.gateway, method, path, **options)

    def token(self, app: str, role: str | None = None) -> str:
        """Signs a seeded user in and returns the ID token, which is cached because tokens are valid for an hour."""
        user = next(user for user in self.ready["tenants"][app]["users"] if role in (None, user["role"]))
        key = (app, user["email"])
        if key not in self._tokens:
            self._tokens[key] = self.sign_in(app, user["email"], user["password"])["idToken"]
        return self._tokens[key]

    def sign_in(self, app: str, email: str, password: str) -> dict:
        api_key = self.ready["tenants"][app]["firebase_api_key"]
        response = call(
            self.ready["firebase"],
            "POST",
            f"/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key={api_key}",
            body={"email": email, "password": password, "returnSecureToken": True},
        )
        if response.status != 200:
            raise AssertionError(f"sign-in of {email} to {app}: {response.status} {response.body[:400]!r}")
        return response.json()

    def database(self, name: str, login: bool = False) -> dict[str, str]:
        """Returns an environment for psql and pgbench that connects to a database of this program as the superuser, or as
        the login role that serves requests."""
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
        """Returns the value of each series by its name and labels: 'name{label="x"}'."""
        found = {}
        for line in self.call("GET", "/metrics").body.decode().splitlines():
            if line and not line.startswith("#"):
                series, value = line.rsplit(" ", 1)
                found[series] = float(value)
        return found


def metric_sum(metrics: dict[str, float], name: str, *labels: str) -> float:
    """Returns the sum of the series with this name whose text contains each of `labels`."""
    return sum(
        value
        for series, value in metrics.items()
        if series.split("{")[0] == name and all(label in series for label in labels)
    )


def free_port() -> int:
    """Finds a port below the range of outgoing connections, so that none of another test takes it before its use."""
    chooser = random.SystemRandom()
    for _ in range(100):
        port = chooser.randrange(15_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("no free port between 15000 and 32000")


class Upstream:
    """support/upstream.py in a process of its own, so that it does not share the interpreter of the test."""

    def __init__(self, port: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("upstream.py")), "--port", str(port)],
            stdout=subprocess.PIPE,
            text=True,
        )
        kill_at_exit(self.process)
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


def wrk(base: str, requests: str, seconds: float, connections: int, command_prefix: list[str]) -> dict:
    """Runs wrk and returns the result of bench/gateway/load.lua. Each line of `requests` is a path and a token; wrk sends
    them round-robin."""
    command = [*command_prefix, "wrk", "--threads", "1", "--connections", str(connections)]
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
    """Runs wrk with one path and returns its result: requests, http_errors, socket_errors, duration_us and so on."""
    return wrk(base, f"{path}\t{token}\n", seconds, connections, [])
