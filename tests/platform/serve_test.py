#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`integreat serve`, the platform in production: hosted databases over TLS and through PgBouncer, and tokens of an
external Firebase (that of an `integreat dev`, whose tokens have the same format)."""

import signal
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import hosted_postgres  # noqa: E402
import manifests  # noqa: E402

DATABASES = ["platform", "campus", "teleo"]
KEYS = "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"
WRITES = 60


class Serve(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.upstream = harness.Upstream()
        cls.addClassCleanup(cls.upstream.stop)
        cls.dev = harness.Program()
        cls.addClassCleanup(cls.dev.remove)
        cls.dev.apps = manifests.write_manifests(cls.dev.data / "apps", cls.upstream.url)
        cls.dev.start()
        cls.postgres = hosted_postgres.HostedPostgres(DATABASES)
        cls.addClassCleanup(cls.postgres.remove)
        cls.configuration = cls.dev.data / "serve"
        manifests.write_manifests(cls.configuration / "apps", cls.upstream.url)
        cls.port = harness.free_port()
        cls.gateway = f"http://127.0.0.1:{cls.port}"
        cls.operators_port = harness.free_port()
        cls.operators = f"http://127.0.0.1:{cls.operators_port}"
        (cls.configuration / "integreat.yaml").write_text(
            f"listen: {{ port: {cls.port} }}\n"
            f"operators: {{ port: {cls.operators_port} }}\n"
            "database: { url: env:DATABASE_URL, direct_url: env:DATABASE_URL_DIRECT,"
            " acquire_timeout: 10s, connect_timeout: 3s }\n"
            f"identity: {{ firebase_keys_url: '{cls.dev.ready['firebase']}{KEYS}', operators_project: integreat-core }}\n"
        )
        cls.token = cls.dev.token("campus")
        cls.start()

    @classmethod
    def environment(cls, **overrides: str) -> dict[str, str]:
        urls = {"PATH": "/usr/bin:/bin"}
        for name in DATABASES:
            variable = "DATABASE_URL" if name == "platform" else f"DATABASE_URL_{name.upper()}"
            urls[variable] = cls.postgres.url(name)
            urls[f"{variable}_DIRECT"] = cls.postgres.url(name, pooled=False)
        return {**urls, **overrides}

    @classmethod
    def start(cls) -> None:
        cls.log = cls.dev.data / "serve.log"
        with open(cls.log, "ab") as output:
            cls.process = subprocess.Popen(
                [str(harness.program_path()), "serve", "--config", str(cls.configuration)],
                env=cls.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        harness.kill_at_exit(cls.process)
        cls.addClassCleanup(cls.process.kill)
        harness.wait_until(cls.is_ready, harness.START_TIMEOUT_SECONDS, "integreat serve is ready")

    @classmethod
    def is_ready(cls) -> bool:
        if cls.process.poll() is not None:
            raise AssertionError(f"integreat serve ended:\n{cls.log.read_text()[-4000:]}")
        try:
            return harness.call(cls.gateway, "GET", "/readyz").status == 200
        except OSError:
            return False

    def write(self, key: str) -> harness.Response:
        return harness.call(
            self.gateway,
            "POST",
            "/v1/apps/campus/orders/count",
            token=self.token,
            body={"key": key},
            headers={"Idempotency-Key": key},
        )

    def test_accepts_users_of_firebase_and_refuses_requests_without_token(self):
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
        response = self.write("logged")
        request = response.headers["Integreat-Request-Id"]
        query = f"SELECT status FROM integreat.transaction_log WHERE request_id = '{request}'"
        harness.wait_until(lambda: self.postgres.sql(query, "platform") == "201", 20, "its row is written")

    def test_an_operator_creates_keys_with_a_token(self):
        created = subprocess.run(
            [str(harness.program_path()), "key", "create", "--app", "campus", "--name", "feeder"]
            + ["--scope", "feed.read", "--gateway", self.operators],
            env=self.environment(INTEGREAT_OPERATOR_TOKEN=self.dev.token("integreat-core")),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(created.returncode, 0, created.stdout + created.stderr)
        self.assertIn("itg_", created.stdout)

    def test_the_public_listener_serves_no_route_of_operators(self):
        operator = self.dev.token("integreat-core", "admin")
        for path in ("/v1/admin/status", "/metrics", "/docs", "/openapi.json"):
            with self.subTest(path):
                public = harness.call(self.gateway, "GET", path, token=operator)
                self.assertEqual((public.status, public.json()["title"]), (404, "Not found"))
                self.assertEqual(harness.call(self.operators, "GET", path, token=operator).status, 200)
        for path in ("/healthz", "/readyz", "/problems", "/v1/apps/campus/openapi.json"):
            self.assertEqual(harness.call(self.gateway, "GET", path).status, 200, path)

    def test_a_taken_port_is_refused_with_the_process_that_holds_it(self):
        self.assertIn(f"(process {self.process.pid}) listens there", self.start_error())

    def test_recovers_when_the_pooler_was_killed(self):
        self.assertEqual(self.write("before").status, 201)
        self.postgres.restart_pooler(DATABASES)
        harness.wait_until(self.is_ready, 30, "the database is back")
        harness.wait_until(lambda: self.write("after").status == 201, 30, "a write succeeds after the restart")
        self.assertEqual(self.write("before").headers["Idempotent-Replayed"], "true")

    def start_error(self, **environment: str) -> str:
        """Starts the program, which must fail, and returns its standard error."""
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

    def test_does_not_start_with_an_untrusted_database(self):
        other_certificate = self.dev.data / "other.crt"
        self.postgres.make_certificate(other_certificate)
        url = self.postgres.url("platform").replace(str(self.postgres.certificate), str(other_certificate))
        self.assertIn("certificate verify failed", self.start_error(DATABASE_URL=url))
        other_name = self.postgres.url("platform").replace("@localhost", "@127.0.0.1")
        self.assertIn("does not match host name", self.start_error(DATABASE_URL=other_name))

    def test_ends_on_sigterm(self):
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(30), 0, self.log.read_text()[-4000:])
        self.start()  # The ended process must not prevent a restart.
        self.assertEqual(self.write("restarted").status, 201)


if __name__ == "__main__":
    harness.main()
