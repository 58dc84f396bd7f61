# SPDX-License-Identifier: Apache-2.0
"""Clients of a frozen data folder: the callers named in its expected.json, each with a real token, API key or AWS
key. They use public interfaces only: no file and no table of the folder is read."""

import http.client
import json
from urllib.parse import urlencode, urlsplit

import boto3
import harness
from botocore.client import Config

FEED_TIMEOUT_SECONDS = 20
AWS_REGION = "us-east-1"


def create_only(params: dict, **_) -> None:
    """Adds the condition that users need: no object is replaced. Debian's boto3 has no parameter for it."""
    params["headers"]["If-None-Match"] = "*"


class Clients:
    """Sends requests to a program as one of `callers`, the part of expected.json of that name:

    {"maria":   {"app": "campus", "uid": "…", "role": "student", "email": "…", "password": "…"},
     "visitor": {"app": "evntgarde", "uid": "…", "refresh_token": "…"},
     "feeder":  {"app": "campus", "key": "itg_…"}}
    """

    def __init__(self, program: harness.Program, callers: dict, aws_keys: dict) -> None:
        self.program, self.callers, self.aws_keys = program, callers, aws_keys
        self._tokens: dict[str, str] = {}
        self._clients: dict[tuple, object] = {}

    def token(self, name: str) -> str:
        """Returns the credential of a caller; the empty name has none."""
        if not name:
            return ""
        if name not in self._tokens:
            caller = self.callers[name]
            if "key" in caller:
                self._tokens[name] = caller["key"]
            elif "password" in caller:
                signed_in = self.program.sign_in(caller["app"], caller["email"], caller["password"])
                self._tokens[name] = signed_in["idToken"]
            else:
                self._tokens[name] = self.refresh(caller)["id_token"]
        return self._tokens[name]

    def refresh(self, caller: dict) -> dict:
        """Exchanges the refresh token of a caller."""
        api_key = self.program.ready["tenants"][caller["app"]]["firebase_api_key"]
        form = {"grant_type": "refresh_token", "refresh_token": caller["refresh_token"]}
        response = harness.call(
            self.program.ready["firebase"],
            "POST",
            f"/securetoken.googleapis.com/v1/token?key={api_key}",
            body=urlencode(form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        if response.status != 200:
            raise AssertionError(f"refresh token of {caller}: {response.status} {response.body[:400]!r}")
        return response.json()

    def send(self, name: str, method: str, path: str, body=None, headers: dict | None = None):
        """One request to the gateway; a body that is not bytes is sent as JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        return self.program.call(method, path, token=self.token(name), body=body, headers=headers)

    def lookup_account(self, app: str, uid: str) -> dict:
        """Returns an account of the local Firebase as its Admin SDK reads it."""
        project = self.program.ready["tenants"][app]["firebase_project"]
        response = harness.call(
            self.program.ready["firebase"],
            "POST",
            f"/identitytoolkit.googleapis.com/v1/projects/{project}/accounts:lookup",
            body={"localId": [uid]},
            token="owner",
        )
        if response.status != 200:
            raise AssertionError(f"account {uid} of {app}: {response.status} {response.body[:400]!r}")
        return response.json()["users"][0]

    def aws(self, service: str, holder: str):
        """Returns a client of an AWS service: `holder` has an access key or is a caller with an identity in the pool
        of their app."""
        if (service, holder) not in self._clients:
            config = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"})
            client = self._clients[service, holder] = boto3.client(
                service,
                region_name=AWS_REGION,
                endpoint_url=self.program.ready["aws"],
                config=config,
                **(self.aws_keys.get(holder) or self.session_keys(holder)),
            )
            if service == "s3" and holder not in self.aws_keys:
                for operation in ("PutObject", "CompleteMultipartUpload"):
                    client.meta.events.register(f"before-call.s3.{operation}", create_only)
        return self._clients[service, holder]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def identity(self, name: str) -> tuple[str, dict[str, str]]:
        """Returns the Cognito identity of a signed-in caller and the login that proves it."""
        caller = self.callers[name]
        tenant = self.program.ready["tenants"][caller["app"]]
        login = {f"securetoken.google.com/{tenant['firebase_project']}": self.token(name)}
        cognito = self.aws("cognito-identity", "root")
        found = cognito.get_id(IdentityPoolId=tenant["identity_pool"], Logins=login)
        return found["IdentityId"], login

    def session_keys(self, name: str) -> dict[str, str]:
        identity, login = self.identity(name)
        cognito = self.aws("cognito-identity", "root")
        keys = cognito.get_credentials_for_identity(IdentityId=identity, Logins=login)["Credentials"]
        return {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretKey"],
            "aws_session_token": keys["SessionToken"],
        }

    def follow(self, name: str, path: str, last_event_id: str = "") -> "Feed":
        headers = {"Authorization": f"Bearer {self.token(name)}"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        return Feed(self.program.gateway, path, headers)


class Feed:
    """An open change feed."""

    def __init__(self, base: str, path: str, headers: dict[str, str]) -> None:
        where = urlsplit(base)
        self.connection = http.client.HTTPConnection(where.hostname, where.port, timeout=FEED_TIMEOUT_SECONDS)
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()
        if self.response.status != 200:
            raise AssertionError(f"{path}: {self.response.status} {self.response.read()[:400]!r}")

    def next(self) -> dict:
        """Returns the next event; raises TimeoutError if none arrives in time."""
        event: dict = {}
        while True:
            line = self.response.readline().decode()
            if not line:
                raise AssertionError("the change feed ended")
            name, _, value = line.rstrip("\n").partition(": ")
            if name in ("id", "event", "data"):
                event[name] = json.loads(value) if name == "data" else value
            elif not line.strip() and event:
                return event

    def close(self) -> None:
        self.response.close()
        self.connection.close()
