# SPDX-License-Identifier: Apache-2.0
"""People who use the apps: signed up at the local Firebase as a client does it, given roles as a backend does it."""

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import apps
import harness


@dataclass(frozen=True)
class Person:
    app: str
    role: str  # Empty: signed in, without a role.
    uid: str
    token: str = field(repr=False)


NOBODY = Person("", "", "", "")  # Without a token.


def unlimited_apps(folder: Path) -> Path:
    """The four manifests as they are, but for limits, which these tests are not about."""
    folder.mkdir(parents=True, exist_ok=True)
    for manifest in (harness.ROOT / "apps").glob("*.yaml"):
        text = re.sub(r"(?m)^((?:tenant_)?limit:).*$", rf"\1 {apps.HIGH}", manifest.read_text())
        (folder / manifest.name).write_text(text)
    return folder


def start(**settings) -> harness.Program:
    """The whole program with the four apps; its caller removes it."""
    program = harness.Program(**settings)
    program.apps = unlimited_apps(program.data / "apps")
    try:
        return program.start()
    except BaseException:
        shutil.rmtree(program.data, ignore_errors=True)
        raise


def firebase(
    program: harness.Program, app: str, operation: str, body: dict, *, backend: bool = False
) -> dict:
    """As a client with the app's API key, or as a backend with the emulator's "owner"."""
    tenant = program.ready["tenants"][app]
    base = "/identitytoolkit.googleapis.com/v1/"
    if backend:
        path = f"{base}projects/{tenant['firebase_project']}/{operation}"
    else:
        path = f"{base}{operation}?key={tenant['firebase_api_key']}"
    answer = harness.call(
        program.ready["firebase"], "POST", path, body=body, token="owner" if backend else ""
    )
    if answer.status != 200:
        raise AssertionError(f"{operation} of {app}: {answer.status} {answer.body[:400]!r}")
    return answer.json()


def sign_up(program: harness.Program, app: str, role: str = "", name: str = "", **claims) -> Person:
    """With an e-mail address if there is a name, else anonymously. Claims are in the token from the next sign-in."""
    account = {"email": f"{name}@{app}.test", "password": "correct horse"} if name else {}
    made = firebase(program, app, "accounts:signUp", {**account, "returnSecureToken": True})
    if role or claims:
        attributes = json.dumps({**({"role": role} if role else {}), **claims})
        change = {"localId": made["localId"], "customAttributes": attributes}
        firebase(program, app, "accounts:update", change, backend=True)
        made = firebase(program, app, "accounts:signInWithPassword", {**account, "returnSecureToken": True})
    return Person(app, role, made["localId"], made["idToken"])


def make_key(program: harness.Program, app: str, *scopes: str) -> Person:
    """An API key, which acts as the user key:<id> in the role that it has as a scope."""
    answer = program.call(
        "POST",
        f"/v1/admin/tenants/{app}/keys",
        token=program.token("integreat-core", "admin"),
        body={"name": "of a test", "scopes": list(scopes)},
    )
    if answer.status not in (200, 201):
        raise AssertionError(f"key of {app}: {answer.status} {answer.body[:400]!r}")
    made = answer.json()
    role = next((scope.removeprefix("role:") for scope in scopes if scope.startswith("role:")), "")
    return Person(app, role, f"key:{made['id']}", made["key"])
