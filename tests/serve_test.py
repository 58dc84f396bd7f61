#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`integreat serve`, the platform in production: databases of others over TLS and through PgBouncer, tokens of a
Firebase that runs elsewhere (that of an `integreat dev`, whose tokens have the same form)."""

import signal
import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor

import apps
import harness
import production

DATABASES = ["platform", "campus", "teleo"]
KEYS = "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"
WRITES = 60


class Serve(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = harness.Upstream()
        cls.addClassCleanup(cls.upstream.stop)
        cls.elsewhere = harness.Program()
        cls.addClassCleanup(cls.elsewhere.remove)
        cls.elsewhere.apps = apps.write(cls.elsewhere.data / "apps", cls.upstream.url)
        cls.elsewhere.start()
        cls.postgres = production.Postgres(DATABASES)
        cls.addClassCleanup(cls.postgres.remove)
        cls.configuration = cls.elsewhere.data / "serving"
        apps.write(cls.configuration / "apps", cls.upstream.url)
        cls.port = harness.free_port()
        cls.gateway = f"http://127.0.0.1:{cls.port}"
        (cls.configuration / "integreat.yaml").write_text(
            f"listen: {{ port: {cls.port} }}\n"
            "database: { url: env:DATABASE_URL, url_direct: env:DATABASE_URL_DIRECT,"
            " acquire_timeout: 10s, connect_timeout: 3s }\n"
            f"identity: {{ firebase_keys_url: '{cls.elsewhere.ready['firebase']}{KEYS}' }}\n"
        )
        cls.token = cls.elsewhere.token("campus")
        cls.start()

    @classmethod
    def environment(cls, **more: str) -> dict[str, str]:
        urls = {"PATH": "/usr/bin:/bin"}
        for name in DATABASES:
            variable = "DATABASE_URL" if name == "platform" else f"DATABASE_URL_{name.upper()}"
            urls[variable] = cls.postgres.url(name)
            urls[f"{variable}_DIRECT"] = cls.postgres.url(name, pooled=False)
        return {**urls, **more}

    @classmethod
    def start(cls) -> None:
        cls.log = cls.elsewhere.data / "serve.log"
        with open(cls.log, "ab") as output:
            cls.process = subprocess.Popen(
                [str(harness.program_path()), "serve", "--config", str(cls.configuration)],
                env=cls.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        harness.end_at_exit(cls.process)
        cls.addClassCleanup(cls.process.kill)
        harness.wait_until(cls.is_ready, harness.START_SECONDS_MAX, "integreat serve to be ready")

    @classmethod
    def is_ready(cls) -> bool:
        if cls.process.poll() is not None:
            raise AssertionError(f"integreat serve ended:\n{cls.log.read_text()[-4000:]}")
        try:
            return harness.call(cls.gateway, "GET", "/readyz").status == 200
        except OSError:
            return False

    def write(self, key: str) -> harness.Answer:
        return harness.call(
            self.gateway,
            "POST",
            "/v1/apps/campus/orders/count",
            token=self.token,
            body={"key": key},
            headers={"Idempotency-Key": key},
        )

    def test_knows_users_of_firebase_and_refuses_others(self):
        me = harness.call(self.gateway, "GET", "/v1/apps/campus/me", token=self.token)
        self.assertEqual(me.status, 200, me.body)
        self.assertEqual(me.json()["tenant"], "campus")
        self.assertEqual(harness.call(self.gateway, "GET", "/v1/apps/campus/me").status, 401)

    def test_many_clients_share_few_connections(self):
        keys = [f"many-{number}" for number in range(WRITES)]
        with ThreadPoolExecutor(16) as callers:
            first = list(callers.map(self.write, keys))
            again = list(callers.map(self.write, keys))
        for one, other in zip(first, again):
            self.assertEqual(one.status, 201, one.body)
            self.assertEqual((other.status, other.body), (one.status, one.body))
            self.assertEqual(other.headers["Idempotent-Replayed"], "true")

    def test_the_transaction_log_reaches_the_database(self):
        answer = self.write("logged")
        request = answer.headers["Integreat-Request-Id"]
        query = f"SELECT status FROM integreat.transaction_log WHERE request_id = '{request}'"
        harness.wait_until(lambda: self.postgres.sql(query, "platform") == "201", 20, "its row")

    def test_an_operator_makes_keys_with_a_token(self):
        made = subprocess.run(
            [str(harness.program_path()), "key", "create", "--app", "campus", "--name", "feeder"]
            + ["--scope", "feed.read", "--gateway", self.gateway],
            env=self.environment(INTEGREAT_OPERATOR_TOKEN=self.elsewhere.token("integreat-core")),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        self.assertIn("itg_", made.stdout)

    def test_goes_on_when_the_pooler_was_killed(self):
        self.assertEqual(self.write("before").status, 201)
        self.postgres.restart_pooler(DATABASES)
        harness.wait_until(self.is_ready, 30, "the database to be back")
        harness.wait_until(lambda: self.write("after").status == 201, 30, "a write after the restart")
        self.assertEqual(self.write("before").headers["Idempotent-Replayed"], "true")

    def refused(self, **environment: str) -> str:
        """What it says when it does not start."""
        ended = subprocess.run(
            [str(harness.program_path()), "serve", "--config", str(self.configuration)],
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(ended.returncode, 1, ended.stdout + ended.stderr)
        return ended.stderr

    def test_does_not_start_with_a_database_that_it_cannot_trust(self):
        stranger = self.elsewhere.data / "stranger.crt"
        self.postgres.make_certificate(stranger)
        url = self.postgres.url("platform").replace(str(self.postgres.certificate), str(stranger))
        self.assertIn("certificate verify failed", self.refused(DATABASE_URL=url))
        other_name = self.postgres.url("platform").replace("@localhost", "@127.0.0.1")
        self.assertIn("does not match host name", self.refused(DATABASE_URL=other_name))

    def test_ends_on_sigterm(self):
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(30), 0, self.log.read_text()[-4000:])
        self.start()  # Nothing of it stands in the way of the next.
        self.assertEqual(self.write("restarted").status, 201)


if __name__ == "__main__":
    harness.main()
