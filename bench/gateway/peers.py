# SPDX-License-Identifier: Apache-2.0
"""The programs for comparison, each configured for speed and to do the same work."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).with_name("peers")


@dataclass
class StaticResponse:
    """The response of every subject: that of Integreat, so that all send the same number of bytes."""

    headers: list[tuple[str, str]]
    body: str


@dataclass
class Issuer:
    """The parameters with which a peer verifies the same tokens as Integreat."""

    key_file: Path  # Public key, PEM.
    issuer: str
    audience: str


class Children:
    """The servers started for a measurement, which stop() ends."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen] = []

    def start(
        self, command: list[str], core: int | None, port: int, log: Path, environment: dict | None = None
    ) -> int:
        pinned = [] if core is None else ["taskset", "-c", str(core)]
        with open(log, "wb") as output:
            child = subprocess.Popen(
                [*pinned, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
            )
        self.started.append(child)
        deadline = time.monotonic() + 20
        while True:
            if child.poll() is not None:
                raise RuntimeError(f"{command[0]} ended with {child.returncode}:\n{log.read_text()}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return child.pid
            except OSError:
                if time.monotonic() > deadline:
                    raise RuntimeError(
                        f"{command[0]} does not listen on {port}:\n{log.read_text()}"
                    ) from None
                time.sleep(0.02)

    def stop(self) -> None:
        for child in self.started:
            child.terminate()
        for child in self.started:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(10)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "${dollar}") + '"'


def nginx(folder: Path, name: str, threads: int, http: str) -> list[str]:
    """Writes a configuration with one worker per I/O thread of the others and returns the command line."""
    directory = folder / name
    directory.mkdir()
    user = "user root;" if os.geteuid() == 0 else ""
    config = directory / "nginx.conf"
    config.write_text(
        f"""
daemon off; {user} worker_processes {threads}; pid {directory}/nginx.pid; error_log {directory}/error.log warn;
events {{ worker_connections 4096; }}
http {{
    server_tokens off; tcp_nodelay on; keepalive_timeout 75s; keepalive_requests 1000000000;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
    geo $dollar {{ default "$"; }}
    log_format full '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                    '"$http_referer" "$http_user_agent" $request_time';
{http}
}}
"""
    )
    return ["nginx", "-p", str(directory), "-e", str(directory / "error.log"), "-c", str(config)]


def static(port: int, response: StaticResponse, access_log: str) -> str:
    """Returns a server block with a constant response; nginx adds Server, Date, Content-Length and Connection."""
    headers = "".join(f"        add_header {name} {quoted(value)};\n" for name, value in response.headers)
    return f"""    server {{
        listen 127.0.0.1:{port} backlog=4096; access_log {access_log};
        default_type application/json;
{headers}        return 200 {quoted(response.body)};
    }}
"""


def relay(port: int, upstream: int) -> str:
    return f"""    upstream behind {{
        server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096; access_log off;
        location / {{ proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
"""


def haproxy(
    folder: Path, name: str, threads: int, port: int, upstream: int, issuer: Issuer | None
) -> list[str]:
    checks = (
        ""
        if issuer is None
        else f"""
    http-request set-var(txn.token) http_auth_bearer
    http-request set-var(txn.alg) var(txn.token),jwt_header_query('$.alg')
    http-request deny deny_status 401 unless {{ var(txn.alg) -m str RS256 }}
    http-request set-var(txn.valid) var(txn.token),jwt_verify(txn.alg,"{issuer.key_file}")
    http-request deny deny_status 401 unless {{ var(txn.valid) -m int 1 }}
    http-request set-var(txn.now) date()
    http-request set-var(txn.exp) var(txn.token),jwt_payload_query('$.exp','int')
    http-request deny deny_status 401 if {{ var(txn.exp),sub(txn.now) -m int lt 0 }}
    http-request set-var(txn.iss) var(txn.token),jwt_payload_query('$.iss')
    http-request deny deny_status 401 unless {{ var(txn.iss) -m str {issuer.issuer} }}
    http-request set-var(txn.aud) var(txn.token),jwt_payload_query('$.aud')
    http-request deny deny_status 401 unless {{ var(txn.aud) -m str {issuer.audience} }}
"""
    )
    config = folder / f"{name}.cfg"
    config.write_text(
        f"""
global
    nbthread {threads}
    maxconn 8192
    tune.bufsize 16384
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 75s
    http-reuse always
frontend entry
    bind 127.0.0.1:{port}
{checks}
    default_backend behind
backend behind
    server one 127.0.0.1:{upstream} pool-max-conn 256
"""
    )
    return ["haproxy", "-db", "-f", str(config)]


def express(port: int, upstream: int, issuer: Issuer) -> list[str]:
    if not (PEERS / "node_modules").is_dir():
        print("installing the npm packages of the Express gateway (bench/gateway/peers)", file=sys.stderr)
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"], cwd=PEERS, check=True, timeout=300, stdout=sys.stderr
        )
    return [
        "env",
        "NODE_ENV=production",
        "node",
        str(PEERS / "gateway.mjs"),
        str(port),
        f"http://127.0.0.1:{upstream}",
        str(issuer.key_file),
        issuer.issuer,
        issuer.audience,
    ]
