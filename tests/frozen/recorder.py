# SPDX-License-Identifier: Apache-2.0
"""Creates content in a running program through its public interfaces and notes in `expected` what to find again."""

import json
import uuid
from pathlib import Path

import harness
import sign_in
from clients import Clients

PASSWORD = "Tamang kabayo, 1 baterya"
FEED_QUIET_SECONDS = 3  # A change feed without an event for so long has no more of them.


def id_of(path: str) -> str:
    """Returns the ID of the record with this path."""
    return path.rpartition("/")[2]


def stop_cleanly(program: harness.Program) -> None:
    code = program.stop()
    if code != 0:
        raise AssertionError(f"integreat dev ended with {code}:\n{program.log()[-4000:]}")


class Recorder:
    def __init__(self, program: harness.Program) -> None:
        self.program = program
        self.expected: dict = {
            "callers": {},
            "aws_keys": {"root": self.read_root_keys()},
            "tenants": program.ready["tenants"],
            "accounts": [],
            "disabled": [],
            "refused_keys": [],
            "listed_keys": [],
            "reads": [],
            "pages": [],
            "feeds": [],
            "replays": [],
            "requests": [],
            "identities": [],
            "buckets": [],
            "objects": [],
            "pending_uploads": [],
            "parameters": [],
            "mail": {},
            "denied": [],
            "changes": [],
        }
        self.clients = Clients(program, self.expected["callers"], self.expected["aws_keys"])
        self.to_read: list[tuple[str, str]] = []

    def read_root_keys(self) -> dict[str, str]:
        lines = Path(self.program.ready["aws_credentials"]).read_text().splitlines()
        pairs = dict(line.split(" = ") for line in lines if " = " in line)
        return {name: pairs[name] for name in ("aws_access_key_id", "aws_secret_access_key")}

    def send(self, caller: str, method: str, path: str, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.clients.send(caller, method, path, body, headers)

    def do(self, caller: str, method: str, path: str, body=None, **headers) -> dict:
        response = self.send(caller, method, path, body, **headers)
        if response.status not in (200, 201, 204):
            raise AssertionError(f"{caller} {method} {path}: {response.status} {response.body[:600]!r}")
        return response.json() if response.body else {}

    def create(self, caller: str, collection: str, body, *readers: str) -> str:
        """Creates a record and returns its path. Its creator and `readers` read it at the end."""
        path = f"{collection}/{self.do(caller, 'POST', collection, body)['id']}"
        for reader in (caller, *readers):
            self.read_at_end(reader, path)
        return path

    def patch(self, caller: str, path: str, body: dict) -> dict:
        version = self.do(caller, "GET", path)["version"]
        return self.do(caller, "PATCH", path, body, If_Match=f'"{version}"')

    def read_at_end(self, caller: str, *paths: str) -> None:
        """Plans reads whose responses are noted when all content is there."""
        self.to_read += [(caller, path) for path in paths]

    def sign_up(self, name: str, app: str, role: str, title: str = "") -> str:
        """Signs a user up and gives them a role; returns the uid."""
        account = {"email": f"{name}@{app}.test", "password": PASSWORD}
        user = sign_in.call_firebase(self.program, app, "accounts:signUp", {**account, "returnSecureToken": True})
        change: dict = {"localId": user["localId"], "displayName": title or name.title()}
        if role:
            change["customAttributes"] = json.dumps({"role": role, "desk": 7})
        sign_in.call_firebase(self.program, app, "accounts:update", change, backend=True)
        self.expected["callers"][name] = {"app": app, "uid": user["localId"], "role": role, **account}
        return user["localId"]

    def repeatable(self, caller: str, method: str, path: str, body) -> None:
        """Sends a request with an Idempotency-Key twice and notes the response to the repetition: the first response
        to the creation of an API key has the key, later ones do not."""
        key = str(uuid.uuid4())
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        first = self.clients.send(caller, method, path, body, headers)
        again = self.clients.send(caller, method, path, body, headers)
        if again.headers["Idempotent-Replayed"] != "true" or first.status != again.status:
            raise AssertionError(f"{method} {path}: {first.status} {again.status} {again.body[:400]!r}")
        self.expected["replays"].append(
            {
                "caller": caller,
                "method": method,
                "path": path,
                "headers": headers,
                "body": body.decode(),
                "status": again.status,
                "response": again.body.decode(),
            }
        )

    def note_request(self, response, caller: str, method: str, path: str) -> None:
        self.expected["requests"].append(
            {
                "id": response.headers["Integreat-Request-Id"],
                "caller": caller,
                "method": method,
                "path": path,
                "status": response.status,
                "problem": response.json()["type"].rpartition("/")[2] if response.status >= 400 else "",
            }
        )

    def note_feed(self, caller: str, path: str, last_event_id: str) -> None:
        """Notes the events that follow `last_event_id`."""
        feed = self.clients.follow(caller, path, last_event_id)
        feed.connection.sock.settimeout(FEED_QUIET_SECONDS)
        events = []
        try:
            while True:
                event = feed.next()
                if "event" in event:
                    events.append([event["event"], event["data"]["id"]])
        except TimeoutError:
            feed.close()
        self.expected["feeds"].append(
            {"caller": caller, "path": path, "last_event_id": last_event_id, "events": events}
        )

    def note_reads(self) -> None:
        for caller, path in dict.fromkeys(self.to_read):
            response = self.send(caller, "GET", path)
            read = {"caller": caller, "path": path, "status": response.status}
            if response.status == 200:
                read["etag"] = response.headers["ETag"]
                if response.headers.get_content_type() == "application/json":
                    read["json"] = response.json()
                    if read["json"].get("next"):
                        del read["json"]["next"]  # An opaque cursor; `pages` has one that is used.
                else:
                    read["text"] = response.body.decode()
            else:
                read["problem"] = response.json()["type"].rpartition("/")[2]
            self.expected["reads"].append(read)

    def note_accounts(self) -> None:
        changing = {"lastLoginAt", "lastRefreshAt", "last_used"}
        for caller in [*self.expected["callers"].values(), *self.expected["disabled"]]:
            if "uid" in caller:
                account = self.clients.lookup_account(caller["app"], caller["uid"])
                kept = {name: value for name, value in account.items() if name not in changing}
                self.expected["accounts"].append({"app": caller["app"], "account": kept})
        for app in ("campus", "evntgarde"):
            keys = self.do("operator", "GET", f"/v1/admin/tenants/{app}/keys")["keys"]
            kept = [{name: value for name, value in key.items() if name not in changing} for key in keys]
            self.expected["listed_keys"].append({"app": app, "keys": kept})

    def note_decisions(self) -> None:
        """Notes the decisions from the transaction log: the process that made them has more facts in memory, so
        another one is started first."""
        self.clients.close()
        stop_cleanly(self.program)
        self.program.start()
        for request in self.expected["requests"]:
            path = f"/v1/admin/decisions/{request['id']}"
            decision = self.do("operator", "GET", path)
            words = ("explanation", "type")  # Sentences and slugs may change, the facts may not.
            request["decision"] = {name: value for name, value in decision.items() if name not in words}
