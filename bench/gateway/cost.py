# SPDX-License-Identifier: Apache-2.0
"""CPU time of a process tree, and load by wrk. Servers run on one core, wrk and the upstream on the other."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")
LOAD_SCRIPT = Path(__file__).with_name("load.lua")


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


def processes() -> dict[int, tuple[int, str, int]]:
    """Everything running: pid → (parent, name, user and system time in ticks)."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            text = Path("/proc", entry, "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        name = text[text.index("(") + 1 : text.rindex(")")]
        fields = text[text.rindex(")") + 2 :].split()
        found[int(entry)] = (int(fields[1]), name, int(fields[11]) + int(fields[12]))
    return found


def cpu_of(root: int) -> Cpu:
    """The tree below `root`, so that workers count. Postgres is counted apart: the peers have none."""
    everything = processes()
    children: dict[int, list[int]] = {}
    for pid, (parent, _, _) in everything.items():
        children.setdefault(parent, []).append(pid)
    total = Cpu(0, 0)
    waiting = [(root, False)]
    while waiting:
        pid, in_database = waiting.pop()
        if pid not in everything:
            raise RuntimeError(f"process {pid} is gone: the subject died under load")
        _, name, ticks = everything[pid]
        in_database = in_database or name.startswith("postgres")
        if in_database:
            total.database_us += ticks * TICK_US
        else:
            total.server_us += ticks * TICK_US
        waiting += [(child, in_database) for child in children.get(pid, [])]
    return total


def load(pid: int, url: str, requests_file: Path, seconds: float, connections: int, core: int) -> Round:
    """Runs wrk against a subject; anything but clean 2xx/3xx answers is an exception, not a figure."""
    before = cpu_of(pid)
    command = [
        "taskset",
        "-c",
        str(core),
        "wrk",
        "--threads",
        "1",
        "--connections",
        str(connections),
        "--duration",
        f"{seconds:g}s",
        "--timeout",
        "10s",
        "--script",
        str(LOAD_SCRIPT),
        url,
        "--",
        str(requests_file),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    after = cpu_of(pid)
    found = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or not found:
        raise RuntimeError(f"wrk against {url} failed:\n{done.stdout}{done.stderr}")
    result = json.loads(found.group(1))
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
