# SPDX-License-Identifier: Apache-2.0
"""Integreat as a subject: generated manifests, tokens from real sign-ins, and the public key for the peers."""

import json
import subprocess
from base64 import urlsafe_b64decode
from pathlib import Path

import harness
import peers

# The rate limiter runs; its limits are too high for one load generator to reach.
LIMIT = "{ requests: 10000000, window: 1s, burst: 1000000 }"
KEYS = "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"
SETTINGS = """
listen:
  threads: 1
http:
  max_requests_per_connection: 1000000000
"""


def manifest(app: str, upstream: int, routes: int) -> str:
    """Returns a manifest with `routes` proxied routes of different paths."""
    lines = [
        "integreat: 1",
        f"app: {app}",
        f"title: {app.title()}",
        f"project: {app}-bench",
        "roles: [student, admin]",
        f"limit: {LIMIT}",
        f"tenant_limit: {LIMIT}",
        "upstreams:",
        f"  portal: {{ url: 'http://127.0.0.1:{upstream}', max_connections: 256 }}",
        "routes:",
    ]
    for number in range(routes):
        path = "/portal/{rest...}" if number == 0 else f"/portal{number}/items/{{id}}"
        lines.append(f'  - {{ path: "{path}", methods: [GET], upstream: portal }}')
    return "\n".join(lines) + "\n"


def write_manifests(folder: Path, upstream: int, tenants: int, routes: int) -> None:
    folder.mkdir()
    for number in range(tenants):
        app = "campus" if number == 0 else f"tenant{number}"
        (folder / f"{app}.yaml").write_text(manifest(app, upstream, max(1, routes // tenants)))


def start(
    folder: Path, name: str, core: int, threads: int, upstream: int, tenants: int, routes: int
) -> harness.Program:
    apps = folder / f"{name}-apps"
    write_manifests(apps, upstream, tenants, routes)
    data = folder / name
    data.mkdir()
    program = harness.Program(settings=SETTINGS, apps=apps, data=data, command_prefix=["taskset", "-c", str(core)])
    return program.start()


def relay_requests(program: harness.Program, routes: int) -> list[tuple[str, str]]:
    """Returns (path, token) over all tenants and routes, so that routes, tokens, limits and metric series differ."""
    apps = sorted(app for app in program.ready["tenants"] if app != "integreat-core")
    found = []
    for number in range(max(1, routes // len(apps))):
        path = "portal/hello" if number == 0 else f"portal{number}/items/7"
        found += [(f"/v1/apps/{app}/{path}", program.token(app)) for app in apps]
    return found


def segment(token: str, index: int) -> dict:
    part = token.split(".")[index]
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def find_issuer(program: harness.Program, folder: Path, app: str = "campus") -> peers.Issuer:
    """Returns public key, issuer and audience of the local Firebase Auth for the peers."""
    token = program.token(app)
    keys = harness.call(program.ready["firebase"], "GET", KEYS)
    certificate = keys.json()[segment(token, 0)["kid"]]
    key = subprocess.run(
        ["openssl", "x509", "-pubkey", "-noout"],
        input=certificate,
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    ).stdout
    key_file = folder / "firebase-key.pem"
    key_file.write_text(key)
    claims = segment(token, 1)
    return peers.Issuer(key_file, claims["iss"], claims["aud"])


def static_response(program: harness.Program, path: str) -> peers.StaticResponse:
    """Returns the response of the program for nginx to repeat, without the headers that both servers add."""
    response = program.call("GET", path, token=program.token("campus"))
    if response.status != 200:
        raise RuntimeError(f"{path}: {response.status} {response.body!r}")
    added = {"date", "content-length", "connection", "server", "content-type", "keep-alive"}
    headers = [(name, value) for name, value in response.headers.items() if name.lower() not in added]
    return peers.StaticResponse(headers, response.body.decode())
