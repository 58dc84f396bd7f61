# SPDX-License-Identifier: Apache-2.0
"""The private Postgres of a running program as the measurement sees it: filled by its superuser, asked by
pgbench as the app's login role, and listened to for the statements that the program itself sends."""

import re
import resource
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import harness

DATABASE = "tenant_shop"
ROLE = "tenant_shop__customer"
FIRST_ID = "00000000-0000-7000-8000-"  # And the number of the record in twelve digits.
STATEMENT = re.compile(r"execute [^:]*: (.*)", re.S)
PARAMETER = re.compile(r"\$(\d+) = ('(?:[^']|'')*'|NULL)")


@dataclass
class Statement:
    sql: str
    parameters: list[str]  # As literals: 'text' or NULL.


@dataclass
class Benched:
    transactions: int
    seconds: float
    cpu_us: float  # Of pgbench itself, per transaction.

    @property
    def rate(self) -> float:
        return self.transactions / self.seconds


def record_id(number: int) -> str:
    return f"{FIRST_ID}{number:012d}"


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
        """As the superuser."""
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
        """All of one customer. Triggers rest: a million audited changes are not what is measured."""
        self.script(
            f"""
            SET session_replication_role = replica;
            INSERT INTO data.{collection} (id, customer, reference, status, quantity, price, due, email, phone,
                                           remarks, created_at, created_by, updated_at)
            SELECT ('{FIRST_ID}' || lpad(n::text, 12, '0'))::uuid, '{customer}', 'ORD-' || n,
                   (ARRAY['open', 'packed', 'sent'])[1 + n % 3], 1 + n % 900, 10000 + n, '2026-12-24',
                   'ana.' || n || '@example.ph', '+639171234567', 'Leave it with the guard at the gate.',
                   now() - ({records} - n) * interval '1 second', '{customer}', now()
            FROM generate_series(1, {records}) AS n;
            """
        )
        self.script(f"VACUUM ANALYZE data.{collection}")

    def restore(self, collection: str, records: int) -> None:
        """As it was after fill(), table and indexes, and nothing of what was done since in the history."""
        self.script(
            f"""
            TRUNCATE integreat.changes;
            SET session_replication_role = replica;
            DELETE FROM data.{collection} WHERE id NOT BETWEEN '{record_id(1)}' AND '{record_id(records)}';
            VACUUM FULL data.{collection};
            VACUUM ANALYZE data.{collection};
            """
        )

    def heard(self, request) -> list[Statement]:
        """The statements of the app's database that `request()` causes, as the server logs them."""
        self.script(f"ALTER DATABASE {DATABASE} SET log_min_duration_statement = 0")
        self.script(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{DATABASE}_app'"
        )
        time.sleep(0.3)
        request()  # Opens a connection that logs.
        begin = self.log.stat().st_size
        request()
        time.sleep(0.3)
        self.script(f"ALTER DATABASE {DATABASE} RESET log_min_duration_statement")
        self.script(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{DATABASE}_app'"
        )
        with open(self.log, encoding="utf-8", errors="replace") as text:
            text.seek(begin)
            return statements_of(text.read())

    def bench(self, script: Path, role: str, connections: int, seconds: float) -> Benched:
        command = [str(self.pgbench), "-n", "-M", "prepared", "-c", str(connections), "-j", "1"]
        command += ["-T", f"{seconds:g}", "-f", str(script)]
        # It prepares everything before it runs the statement that takes the role on.
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
        return Benched(count, count / float(rate[1]), used * 1e6 / count)


def statements_of(log: str) -> list[Statement]:
    """PostgreSQL 15 manual, section 20.8: an entry begins with its time, and DETAIL has the parameters."""
    entries = re.split(r"^(?=\d{4}-\d\d-\d\d )", log, flags=re.M)
    found: list[Statement] = []
    detailed = None  # Whose parameters a DETAIL would tell; those of a "bind" entry are told again.
    for entry in entries:
        if " LOG: " in entry:
            executed = STATEMENT.search(entry)
            detailed = Statement(" ".join(executed[1].split()), []) if executed else None
            if detailed:
                found.append(detailed)
        elif " DETAIL:  parameters: " in entry and detailed:
            detailed.parameters = [value for _, value in PARAMETER.findall(entry)]
    return found


def pgbench_script(statements: list[Statement], record: str, records: int) -> str:
    """The same statements in one pipeline. The id of one record becomes that of any of `records`."""
    lines = [f"\\set k random(1, {records})", "\\startpipeline"]
    any_id = f"('{FIRST_ID}' || lpad((:k)::text, 12, '0'))"
    for statement in statements:
        sql = statement.sql
        for number in range(len(statement.parameters), 0, -1):
            value = statement.parameters[number - 1]
            text = any_id if value == f"'{record}'" else value
            # A bare literal beside a cast: NULL::text and 'x'::text mean the same as the parameter did.
            sql = re.sub(rf"\${number}(?!\d)", lambda _, text=text: text, sql)
        lines.append(sql + ";")
    return "\n".join([*lines, "\\endpipeline"]) + "\n"
