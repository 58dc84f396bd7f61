# SPDX-License-Identifier: Apache-2.0
"""The embedded Postgres of a running program: filled by its superuser, queried by pgbench as the login role of the
app, and logging the statements that the program sends."""

import re
import resource
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import harness

DATABASE = "tenant_shop"
ROLE = "tenant_shop__customer"
ID_PREFIX = "00000000-0000-7000-8000-"  # Followed by the number of the record in twelve digits.
STATEMENT = re.compile(r"execute [^:]*: (.*)", re.S)
PARAMETER = re.compile(r"\$(\d+) = ('(?:[^']|'')*'|NULL)")


@dataclass
class Statement:
    sql: str
    parameters: list[str]  # SQL literals: 'text' or NULL.


@dataclass
class PgbenchResult:
    transactions: int
    seconds: float
    cpu_us: float  # CPU time of pgbench itself per transaction.

    @property
    def rate(self) -> float:
        return self.transactions / self.seconds


def record_id(number: int) -> str:
    return f"{ID_PREFIX}{number:012d}"


class Store:
    def __init__(self, program: harness.Program) -> None:
        self.program = program
        self.log = program.data_folder / "postgres" / "server.log"
        bindir = subprocess.run(
            ["pg_config", "--bindir"], capture_output=True, text=True, check=True, timeout=10
        )
        self.pgbench = Path(bindir.stdout.strip()) / "pgbench"

    def login(self) -> dict[str, str]:
        return self.program.database(DATABASE, login=True)

    def script(self, sql: str, seconds: float = 300) -> str:
        """Runs a script as the superuser."""
        done = subprocess.run(
            harness.PSQL,
            input=sql,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            env=self.program.database(DATABASE),
        )
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr[:2000]}")
        return done.stdout.strip()

    def fill(self, collection: str, records: int, customer: str) -> None:
        """Inserts records of one customer, without triggers: the history of a million changes is not measured."""
        self.script(
            f"""
            SET session_replication_role = replica;
            INSERT INTO data.{collection} (id, customer, reference, status, quantity, price, due, email, phone,
                                           remarks, created_at, created_by, updated_at)
            SELECT ('{ID_PREFIX}' || lpad(n::text, 12, '0'))::uuid, '{customer}', 'ORD-' || n,
                   (ARRAY['open', 'packed', 'sent'])[1 + n % 3], 1 + n % 900, 10000 + n, '2026-12-24',
                   'ana.' || n || '@example.ph', '+639171234567', 'Leave it with the guard at the gate.',
                   now() - ({records} - n) * interval '1 second', '{customer}', now()
            FROM generate_series(1, {records}) AS n;
            """
        )
        self.script(f"VACUUM ANALYZE data.{collection}")

    def restore(self, collection: str, records: int) -> None:
        """Restores table and indexes to the state after fill(), and empties the history."""
        self.script(
            f"""
            TRUNCATE integreat.changes;
            SET session_replication_role = replica;
            DELETE FROM data.{collection} WHERE id NOT BETWEEN '{record_id(1)}' AND '{record_id(records)}';
            VACUUM FULL data.{collection};
            VACUUM ANALYZE data.{collection};
            """
        )

    def logged_statements(self, request) -> list[Statement]:
        """Returns the statements in the app's database that `request()` causes, from the log of the server."""
        self.script(f"ALTER DATABASE {DATABASE} SET log_min_duration_statement = 0")
        self.script(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{DATABASE}_app'"
        )
        time.sleep(0.3)
        request()  # Opens a connection that logs its statements.
        begin = self.log.stat().st_size
        request()
        time.sleep(0.3)
        self.script(f"ALTER DATABASE {DATABASE} RESET log_min_duration_statement")
        self.script(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{DATABASE}_app'"
        )
        with open(self.log, encoding="utf-8", errors="replace") as text:
            text.seek(begin)
            return parse_statements(text.read())

    def bench(self, script: Path, role: str, connections: int, seconds: float) -> PgbenchResult:
        command = [str(self.pgbench), "-n", "-M", "prepared", "-c", str(connections), "-j", "1"]
        command += ["-T", f"{seconds:g}", "-f", str(script)]
        # pgbench prepares all statements before it runs the one that sets the role.
        environment = {**self.login(), "PGOPTIONS": f"-c role={role}"}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds + 60, env=environment
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = re.search(r"transactions actually processed: (\d+)", done.stdout)
        rate = re.search(r"tps = ([\d.]+)", done.stdout)
        if done.returncode != 0 or not found or not rate:
            raise RuntimeError(f"pgbench: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        count = int(found[1])
        return PgbenchResult(count, count / float(rate[1]), used * 1e6 / count)


def parse_statements(log: str) -> list[Statement]:
    """Parses the log (PostgreSQL 15 manual, section 20.8): entries begin with a time; DETAIL has the parameters."""
    entries = re.split(r"^(?=\d{4}-\d\d-\d\d )", log, flags=re.M)
    found: list[Statement] = []
    executed = None  # The statement whose parameters are in the next DETAIL; a "bind" entry repeats them.
    for entry in entries:
        if " LOG: " in entry:
            match = STATEMENT.search(entry)
            executed = Statement(" ".join(match[1].split()), []) if match else None
            if executed:
                found.append(executed)
        elif " DETAIL:  parameters: " in entry and executed:
            executed.parameters = [value for _, value in PARAMETER.findall(entry)]
    return found


def pgbench_script(statements: list[Statement], record: str, records: int) -> str:
    """Returns a script with the statements in one pipeline; the id of `record` becomes that of a random record."""
    lines = [f"\\set k random(1, {records})", "\\startpipeline"]
    random_id = f"('{ID_PREFIX}' || lpad((:k)::text, 12, '0'))"
    for statement in statements:
        sql = statement.sql
        for number in range(len(statement.parameters), 0, -1):
            value = statement.parameters[number - 1]
            text = random_id if value == f"'{record}'" else value
            # A bare literal beside a cast: NULL::text and 'x'::text mean the same as the parameter did.
            sql = re.sub(rf"\${number}(?!\d)", lambda _, text=text: text, sql)
        lines.append(sql + ";")
    return "\n".join([*lines, "\\endpipeline"]) + "\n"
