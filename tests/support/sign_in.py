# SPDX-License-Identifier: Apache-2.0
"""Users of the apps: signed up at the local Firebase by the calls of a client, given roles by the calls of a backend."""

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import harness
import manifests


@dataclass(frozen=True)
class Principal:
    app: str
    role: str  # Empty: signed in, without a role.
    uid: str
    token: str = field(repr=False)


UNAUTHENTICATED = Principal("", "", "", "")  # Sends no token.


def unlimited_apps(folder: Path) -> Path:
    """Writes the manifests of the four apps into `folder`, with limits that no test reaches, and returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    for manifest in (harness.ROOT / "apps").glob("*.yaml"):
        text = re.sub(r"(?m)^((?:tenant_)?limit:).*$", rf"\1 {manifests.UNLIMITED}", manifest.read_text())
        (folder / manifest.name).write_text(text)
    return folder


def start_program(**settings) -> harness.Program:
    """Starts the whole program with the four apps; the caller removes it."""
    program = harness.Program(**settings)
    program.apps = unlimited_apps(program.data / "apps")
    try:
        return program.start()
    except BaseException:
        shutil.rmtree(program.data, ignore_errors=True)
        raise


def call_firebase(
    program: harness.Program, app: str, operation: str, body: dict, *, backend: bool = False
) -> dict:
    """Calls an operation as a client with the app's API key, or as a backend with the emulator's token "owner"."""
    tenant = program.ready["tenants"][app]
    base = "/identitytoolkit.googleapis.com/v1/"
    if backend:
        path = f"{base}projects/{tenant['firebase_project']}/{operation}"
    else:
        path = f"{base}{operation}?key={tenant['firebase_api_key']}"
    response = harness.call(
        program.ready["firebase"], "POST", path, body=body, token="owner" if backend else ""
    )
    if response.status != 200:
        raise AssertionError(f"{operation} of {app}: {response.status} {response.body[:400]!r}")
    return response.json()


def sign_up(program: harness.Program, app: str, role: str = "", name: str = "", **claims) -> Principal:
    """Signs a user up, with an e-mail address if a name is given, else anonymously. Role and claims need a name: they
    are in tokens only from the next sign-in."""
    account = {"email": f"{name}@{app}.test", "password": "correct horse"} if name else {}
    user = call_firebase(program, app, "accounts:signUp", {**account, "returnSecureToken": True})
    if role or claims:
        attributes = json.dumps({**({"role": role} if role else {}), **claims})
        change = {"localId": user["localId"], "customAttributes": attributes}
        call_firebase(program, app, "accounts:update", change, backend=True)
        user = call_firebase(program, app, "accounts:signInWithPassword", {**account, "returnSecureToken": True})
    return Principal(app, role, user["localId"], user["idToken"])


def create_api_key(program: harness.Program, app: str, *scopes: str) -> Principal:
    """Creates an API key. It acts as the user key:<id> in the role of its scope role:<role>."""
    response = program.call(
        "POST",
        f"/v1/admin/tenants/{app}/keys",
        token=program.token("integreat-core", "admin"),
        body={"name": "of a test", "scopes": list(scopes)},
    )
    if response.status not in (200, 201):
        raise AssertionError(f"key of {app}: {response.status} {response.body[:400]!r}")
    key = response.json()
    role = next((scope.removeprefix("role:") for scope in scopes if scope.startswith("role:")), "")
    return Principal(app, role, f"key:{key['id']}", key["key"])
