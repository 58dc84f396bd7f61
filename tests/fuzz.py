#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the fuzz preset and runs each libFuzzer target with its seeds, one per core; fails on a crash, a
leak, a hang or too much memory, and says where the input that did it lies."""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "fuzz"
CORPUS = ROOT / "fuzz" / "corpus"
MEMORY_MIB = 2048
EXPECTED = {
    "aws_chunks",
    "csv",
    "http_head",
    "json",
    "jwt",
    "manifest",
    "policy",
    "s3_form",
    "s3_xml",
    "sigv4",
    "target",
    "upstream_head",
}


def build() -> None:
    for command in (["cmake", "--preset", "fuzz"], ["cmake", "--build", "--preset", "fuzz"]):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-8000:]}{done.stderr[-4000:]}")


def targets() -> dict[str, Path]:
    """Name → program; each needs seeds of its own."""
    return {
        place.name.removesuffix("_fuzz"): place
        for place in sorted(BUILD.glob("fuzz/*_fuzz"))
        if place.is_file() and os.access(place, os.X_OK)
    }


def run(name: str, program: Path, seconds: int) -> str:
    """Empty if it is clean; otherwise what it said."""
    seeds = CORPUS / name
    if not seeds.is_dir() or not any(seeds.iterdir()):
        return f"has no seeds in {seeds.relative_to(ROOT)}"
    grown, found = BUILD / "corpus" / name, BUILD / "found" / name
    grown.mkdir(parents=True, exist_ok=True)
    found.mkdir(parents=True, exist_ok=True)
    command = [
        str(program),
        str(grown),
        str(seeds),
        f"-max_total_time={seconds}",
        "-timeout=5",
        f"-rss_limit_mb={MEMORY_MIB}",
        "-max_len=65536",
        "-print_final_stats=1",
        "-verbosity=0",
        f"-artifact_prefix={found}/",
    ]
    dictionary = ROOT / "fuzz" / f"{name}.dict"
    if dictionary.exists():
        command.append(f"-dict={dictionary}")
    began = time.monotonic()
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=False, timeout=seconds * 2 + 300
    )
    statistics = {
        line.split(":")[2].strip(): line.split(":")[3].strip()
        for line in done.stderr.splitlines()
        if line.startswith("stat::")
    }
    print(
        f"{name}: {statistics.get('number_of_executed_units', '?')} inputs, {time.monotonic() - began:.0f} s, "
        f"{statistics.get('peak_rss_mb', '?')} MiB at most",
        flush=True,
    )
    return "" if done.returncode == 0 else done.stderr[-6000:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--only", default="", help="only the target of this name")
    options = parser.parse_args()
    build()
    found = targets()
    missing = EXPECTED - set(found)
    troubles = {name: "there is no such target" for name in missing}
    wanted = {name: program for name, program in found.items() if options.only in ("", name)}
    with ThreadPoolExecutor(os.cpu_count() or 1) as cores:
        runs = {name: cores.submit(run, name, program, options.seconds) for name, program in wanted.items()}
    troubles |= {name: done.result() for name, done in runs.items() if done.result()}
    for name, trouble in troubles.items():
        print(f"{name}: {trouble}", file=sys.stderr)
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
