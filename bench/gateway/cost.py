# SPDX-License-Identifier: Apache-2.0
"""Measures the CPU time of servers under load. Servers run on one core, wrk and the upstream on the other."""

import os
import subprocess
from dataclasses import dataclass

import harness

TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")


@dataclass
class Measurement:
    """The result of one subject under load for one round."""

    requests: int
    seconds: float
    cpu_us: float  # CPU time of the server without its Postgres, per request.
    database_us: float  # CPU time of its Postgres, per request.
    cores_used: float  # Number of cores the server used: near its number of threads, it was saturated.
    p50_us: int
    p99_us: int

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


@dataclass
class CpuTime:
    server_us: float
    database_us: float


def cpu_time(root: int) -> CpuTime:
    """Returns the CPU time of a process and its descendants. Postgres counts separately because the peers have none."""
    total = CpuTime(0, 0)
    for _, stat, in_database in process_tree(root):
        if in_database:
            total.database_us += stat.ticks * TICK_US
        else:
            total.server_us += stat.ticks * TICK_US
    return total


def process_tree(root: int) -> list[tuple[int, harness.ProcessStat, bool]]:
    """Returns (pid, process, whether it belongs to Postgres) for `root` and its descendants."""
    everything = harness.processes()
    children: dict[int, list[int]] = {}
    for pid, stat in everything.items():
        children.setdefault(stat.parent, []).append(pid)
    found = []
    pending = [(root, False)]
    while pending:
        pid, in_database = pending.pop()
        if pid not in everything:
            raise RuntimeError(f"process {pid} ended: the subject crashed under load")
        stat = everything[pid]
        in_database = in_database or stat.name.startswith("postgres")
        found.append((pid, stat, in_database))
        pending += [(child, in_database) for child in children.get(pid, [])]
    return found


def pin(root: int, core: int) -> None:
    """Pins all threads of a process tree, and the processes they start later, to a core."""
    for pid, _, _ in process_tree(root):
        done = subprocess.run(["taskset", "-apc", str(core), str(pid)], capture_output=True, check=False, timeout=10)
        if done.returncode != 0 and os.path.exists(f"/proc/{pid}"):  # A Postgres backend may have ended.
            raise RuntimeError(f"taskset: {done.stderr!r}")


def load(
    pid: int, url: str, requests: str, seconds: float, connections: int, core: int | None = None
) -> Measurement:
    """Runs wrk with a subject. Raises an exception if a response was not 2xx or 3xx or a connection failed."""
    before = cpu_time(pid)
    command_prefix = [] if core is None else ["taskset", "-c", str(core)]
    result = harness.wrk(url, requests, seconds, connections, command_prefix)
    after = cpu_time(pid)
    if result["http_errors"] or result["socket_errors"] or not result["requests"]:
        raise RuntimeError(f"{url} failed under load: {result}")
    elapsed_us = result["duration_us"]
    server_us = after.server_us - before.server_us
    return Measurement(
        requests=result["requests"],
        seconds=elapsed_us / 1e6,
        cpu_us=server_us / result["requests"],
        database_us=(after.database_us - before.database_us) / result["requests"],
        cores_used=server_us / elapsed_us,
        p50_us=result["p50_us"],
        p99_us=result["p99_us"],
    )
