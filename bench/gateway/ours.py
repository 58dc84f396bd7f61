# SPDX-License-Identifier: Apache-2.0
"""Integreat as a subject: generated manifests, tokens from real sign-ins, the keys the peers verify with."""

import json
import subprocess
from base64 import urlsafe_b64decode
from pathlib import Path

import harness
import peers

# The limiter works as always; only its figures are out of reach of one load generator.
LIMIT = "{ requests: 10000000, window: 1s, burst: 1000000 }"
KEYS = "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"
SETTINGS = """
listen:
  threads: 1
http:
  requests_per_connection_max: 1000000000
"""


def manifest(app: str, upstream: int, routes: int) -> str:
    """An app whose `routes` relay routes differ in their paths, as those of a real one do."""
    lines = [
        f"app: {app}",
        f"title: {app.title()}",
        f"project: {app}-bench",
        "roles: [student, admin]",
        f"limit: {LIMIT}",
        f"tenant_limit: {LIMIT}",
        "upstreams:",
        f"  portal: {{ url: 'http://127.0.0.1:{upstream}', connections_max: 256 }}",
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
    program = harness.Program(settings=SETTINGS, apps=apps, data=data, before=["taskset", "-c", str(core)])
    return program.start()


def relay_requests(program: harness.Program, routes: int) -> list[tuple[str, str]]:
    """(path, token) over all tenants and routes: each goes through its own route, token, limit and series."""
    apps = sorted(app for app in program.ready["tenants"] if app != "integreat-core")
    found = []
    for number in range(max(1, routes // len(apps))):
        path = "portal/hello" if number == 0 else f"portal{number}/items/7"
        found += [(f"/v1/apps/{app}/{path}", program.token(app)) for app in apps]
    return found


def segment(token: str, index: int) -> dict:
    part = token.split(".")[index]
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def issuer_of(program: harness.Program, folder: Path, app: str = "campus") -> peers.Issuer:
    """The public key, issuer and audience of the local Firebase Auth, for the peers."""
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


def reply_of(program: harness.Program, path: str) -> peers.Reply:
    """Our own answer, for nginx to repeat: without the fields that both add by themselves."""
    answer = program.call("GET", path, token=program.token("campus"))
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {answer.body!r}")
    own = {"date", "content-length", "connection", "server", "content-type", "keep-alive"}
    headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in own]
    return peers.Reply(headers, answer.body.decode())
