# SPDX-License-Identifier: Apache-2.0
"""CPU time of a process tree, and load by wrk. Servers run on one core, wrk and the upstream on the other."""

import os
import subprocess
from dataclasses import dataclass

import harness

TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")


@dataclass
class Round:
    """One subject under load once."""

    requests: int
    seconds: float
    cpu_us: float  # Of the server alone, per request.
    database_us: float  # Of the Postgres that belongs to it, per request.
    busy: float  # Share of a core the server used: near its number of threads, it was saturated.
    p50_us: int
    p99_us: int

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


@dataclass
class Cpu:
    server_us: float
    database_us: float


def cpu_of(root: int) -> Cpu:
    """The tree below `root`, so that workers count. Postgres is counted apart: the peers have none."""
    total = Cpu(0, 0)
    for _, running, in_database in tree_of(root):
        if in_database:
            total.database_us += running.ticks * TICK_US
        else:
            total.server_us += running.ticks * TICK_US
    return total


def tree_of(root: int) -> list[tuple[int, harness.Running, bool]]:
    """(pid, process, whether it belongs to the Postgres below `root`)"""
    everything = harness.processes()
    children: dict[int, list[int]] = {}
    for pid, running in everything.items():
        children.setdefault(running.parent, []).append(pid)
    found = []
    waiting = [(root, False)]
    while waiting:
        pid, in_database = waiting.pop()
        if pid not in everything:
            raise RuntimeError(f"process {pid} is gone: the subject died under load")
        running = everything[pid]
        in_database = in_database or running.name.startswith("postgres")
        found.append((pid, running, in_database))
        waiting += [(child, in_database) for child in children.get(pid, [])]
    return found


def pin(root: int, core: int) -> None:
    """All threads of the tree, and what they start from now on."""
    for pid, _, _ in tree_of(root):
        done = subprocess.run(["taskset", "-apc", str(core), str(pid)], capture_output=True, check=False, timeout=10)
        if done.returncode != 0 and os.path.exists(f"/proc/{pid}"):  # A worker of Postgres may have ended.
            raise RuntimeError(f"taskset: {done.stderr!r}")


def load(
    pid: int, url: str, requests: str, seconds: float, connections: int, core: int | None = None
) -> Round:
    """Runs wrk against a subject; anything but clean 2xx/3xx answers is an exception, not a figure."""
    before = cpu_of(pid)
    before_wrk = [] if core is None else ["taskset", "-c", str(core)]
    result = harness.wrk(url, requests, seconds, connections, before_wrk)
    after = cpu_of(pid)
    if result["refused"] or result["broken"] or not result["requests"]:
        raise RuntimeError(f"{url} did not answer cleanly under load: {result}")
    elapsed_us = result["duration_us"]
    server_us = after.server_us - before.server_us
    return Round(
        requests=result["requests"],
        seconds=elapsed_us / 1e6,
        cpu_us=server_us / result["requests"],
        database_us=(after.database_us - before.database_us) / result["requests"],
        busy=server_us / elapsed_us,
        p50_us=result["p50_us"],
        p99_us=result["p99_us"],
    )
