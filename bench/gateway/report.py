# SPDX-License-Identifier: Apache-2.0
"""Prints a table and the target ratios with their verdicts, and writes the same as JSON."""

import json
from pathlib import Path
from statistics import median

# (description, subject, reference subject, maximum ratio of CPU time)
BARS = [
    ("(a) authenticated route / nginx static reply", "ours-me", "nginx-static", 1.4),
    ("(b) authenticated relay / HAProxy with jwt_verify", "ours-relay", "haproxy-jwt", 0.55),
    ("(b) authenticated relay / HAProxy plain relay", "ours-relay", "haproxy-relay", 1.4),
    ("(b) authenticated relay / Express gateway", "ours-relay", "express", 1 / 15),
    ("(c) the same request among 1,000 routes and 100 tenants / (b)", "ours-large", "ours-relay", 1.05),
]


def figures(subject) -> dict:
    cpu = [done.cpu_us for done in subject.rounds]
    return {
        "key": subject.key,
        "title": subject.title,
        "cpu_us": median(cpu),
        "cpu_us_min": min(cpu),
        "cpu_us_max": max(cpu),
        "database_us": median(done.database_us for done in subject.rounds),
        "requests_per_second": median(done.rate for done in subject.rounds),
        "cores_used": median(done.cores_used for done in subject.rounds),
        "p50_us": median(done.p50_us for done in subject.rounds),
        "p99_us": median(done.p99_us for done in subject.rounds),
        "requests": sum(done.requests for done in subject.rounds),
    }


def bars(rows: dict[str, dict]) -> list[dict]:
    """Compares the subjects that were measured in this run."""
    found = []
    for what, ours, theirs, maximum in BARS:
        if ours in rows and theirs in rows:
            ratio = rows[ours]["cpu_us"] / rows[theirs]["cpu_us"]
            found.append({"what": what, "ratio": ratio, "at_most": maximum, "met": ratio <= maximum})
    return found


def table(setting: dict, rows: list[dict]) -> list[str]:
    lines = [
        f"{setting['machine']}; server on core {setting['server_core']}, wrk and the upstream on core "
        f"{setting['load_core']}; one worker thread each, {setting['connections']} connections; median of "
        f"{setting['rounds']} rounds of {setting['seconds']:g} s; load before: {setting['load_before']:.1f}",
        "",
        "| Subject | CPU µs/request | min–max | + database µs | requests/s | core used | p50 ms | p99 ms |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        lines.append(
            f"| {row['title']} | {row['cpu_us']:.1f} | {row['cpu_us_min']:.1f}–{row['cpu_us_max']:.1f} "
            f"| {row['database_us']:.1f} | {row['requests_per_second']:,.0f} | {row['cores_used']:.0%} "
            f"| {row['p50_us'] / 1000:.2f} | {row['p99_us'] / 1000:.2f} |"
        )
    return lines


def verdicts(found: list[dict]) -> list[str]:
    lines = ["", "| Bar | ratio | at most | |", "| --- | ---: | ---: | --- |"]
    for bar in found:
        lines.append(
            f"| {bar['what']} | {bar['ratio']:.3f} | {bar['at_most']:.3f} "
            f"| {'met' if bar['met'] else 'MISSED'} |"
        )
    return lines


def write(setting: dict, subjects: list, more_bars: list[dict], file: Path) -> int:
    """Prints everything. Returns 0 if every bar between measured subjects is met."""
    rows = [figures(subject) for subject in subjects]
    found = bars({row["key"]: row for row in rows}) + more_bars
    print("\n".join(table(setting, rows) + verdicts(found)))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"setting": setting, "subjects": rows, "bars": found}, indent=2) + "\n")
    print(f"\n{file}")
    return 0 if all(bar["met"] for bar in found) else 1
