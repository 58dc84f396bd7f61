# SPDX-License-Identifier: Apache-2.0
"""A hosted Postgres (as Neon offers it): accepts TLS only, from roles that are not superusers, through PgBouncer in
transaction mode with fewer server connections than clients, so that clients share them."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import harness

BIN = Path("/usr/lib/postgresql/15/bin")
OWNER = "neondb_owner"  # Creates databases and roles, and migrates; not a superuser.
PASSWORD = "correct-horse-battery"
CERTIFICATE = (
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
    "-addext subjectAltName=DNS:localhost"
).split()


def login_role(database: str) -> str:
    return f"{database}_app"


class HostedPostgres:
    """One Postgres server and one PgBouncer in a temporary folder."""

    def __init__(self, databases: list[str]) -> None:
        self.folder = harness.make_folder()
        self.port, self.pooled_port = harness.free_port(), harness.free_port()
        self.certificate = self.folder / "server.crt"
        self.processes: dict[str, subprocess.Popen] = {}
        self.make_certificate(self.certificate)
        # Neither Postgres nor PgBouncer runs as root.
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            for path in (self.folder, self.certificate, self.folder / "server.key"):
                shutil.chown(path, "postgres", "postgres")
        self.start_postgres()
        self.start_pooler(databases)
        self.create_databases(databases)

    def make_certificate(self, certificate: Path) -> None:
        key = certificate.with_suffix(".key")
        command = ["openssl", *CERTIFICATE, "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        key.chmod(0o600)

    def run(self, command: list[str]) -> None:
        done = subprocess.run(
            command, user=self.user, capture_output=True, text=True, timeout=120, check=False, cwd=self.folder
        )
        if done.returncode != 0:
            raise AssertionError(f"{command[0]}: {done.stdout}{done.stderr}")

    def spawn(self, name: str, command: list[str]) -> None:
        with open(self.folder / f"{name}.log", "ab") as log:
            process = subprocess.Popen(command, user=self.user, stdout=log, stderr=log, cwd=self.folder)
        harness.kill_at_exit(process)
        self.processes[name] = process

    def start_postgres(self) -> None:
        data = self.folder / "data"
        self.run([str(BIN / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync"])
        (data / "pg_hba.conf").write_text(
            "local all all trust\nhostssl all all all scram-sha-256\nhost all all all reject\n"
        )
        settings = {
            "port": self.port,
            "unix_socket_directories": self.folder,
            "listen_addresses": "localhost",
            "ssl": "on",
            "ssl_cert_file": self.certificate,
            "ssl_key_file": self.folder / "server.key",
            "fsync": "off",
        }
        command = [str(BIN / "postgres"), "-D", str(data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self.spawn("postgres", command)
        harness.wait_until(lambda: self.is_ready(self.port, "postgres"), 30, "Postgres is ready")

    def is_ready(self, port: int, database: str) -> bool:
        command = [str(BIN / "pg_isready"), "-h", str(self.folder), "-p", str(port), "-d", database]
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0

    def start_pooler(self, databases: list[str]) -> None:
        names = [f'"{login_role(name)}" "{PASSWORD}"' for name in databases]
        (self.folder / "users.txt").write_text("\n".join(names) + "\n")
        (self.folder / "pgbouncer.ini").write_text(
            f"""[databases]
* = host={self.folder} port={self.port}
[pgbouncer]
listen_addr = localhost
listen_port = {self.pooled_port}
unix_socket_dir = {self.folder}
pool_mode = transaction
default_pool_size = 3
auth_type = scram-sha-256
auth_file = {self.folder / "users.txt"}
client_tls_sslmode = require
client_tls_cert_file = {self.certificate}
client_tls_key_file = {self.folder / "server.key"}
"""
        )
        if os.getuid() == 0:
            for name in ("users.txt", "pgbouncer.ini"):
                shutil.chown(self.folder / name, "postgres", "postgres")
        self.spawn("pgbouncer", ["/usr/sbin/pgbouncer", str(self.folder / "pgbouncer.ini")])
        harness.wait_until(lambda: self.is_ready(self.pooled_port, "pgbouncer"), 30, "PgBouncer is ready")

    def restart_pooler(self, databases: list[str]) -> None:
        self.kill("pgbouncer")
        self.start_pooler(databases)

    def sql(self, text: str, database: str = "postgres") -> str:
        """Runs SQL as the superuser over the Unix socket."""
        command = [str(BIN / "psql"), "-h", str(self.folder), "-p", str(self.port), "-U", "postgres"]
        command += ["-d", database, "-v", "ON_ERROR_STOP=1", "-Atqc", text]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{text}: {done.stderr}")
        return done.stdout.strip()

    def create_databases(self, databases: list[str]) -> None:
        self.sql(f"CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE PASSWORD '{PASSWORD}'")
        for name in databases:
            self.sql(f"CREATE ROLE {login_role(name)} LOGIN PASSWORD '{PASSWORD}'")
            self.sql(f"CREATE DATABASE {name} OWNER {OWNER}")

    def url(self, database: str, *, pooled: bool = True, parameters: str = "sslmode=verify-full") -> str:
        role, port = (login_role(database), self.pooled_port) if pooled else (OWNER, self.port)
        url = f"postgresql://{role}:{PASSWORD}@localhost:{port}/{database}"
        return f"{url}?{parameters}&sslrootcert={self.certificate}"

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.kill()
        process.wait(30)

    def remove(self) -> None:
        for name in list(self.processes):
            self.kill(name)
        shutil.rmtree(self.folder, ignore_errors=True)
