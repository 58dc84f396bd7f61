#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the fuzz targets (preset fuzz) and runs each with its seeds, one per core. Fails on a crash, a leak, a hang or
too much memory, and prints the path of the input."""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))
import harness  # noqa: E402

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
    """Builds the targets, which does nothing after `./dev build fuzz`."""
    sources = (ROOT / "fuzz").glob("*_fuzz.cpp")
    targets = sorted(source.stem for source in sources)
    for command in (
        ["cmake", "--preset", "fuzz"],
        ["cmake", "--build", "--preset", "fuzz", "--target", *targets],
    ):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-8000:]}{done.stderr[-4000:]}")


def targets() -> dict[str, Path]:
    """Returns the programs by the names of their targets."""
    return {
        path.name.removesuffix("_fuzz"): path
        for path in sorted(BUILD.glob("fuzz/*_fuzz"))
        if path.is_file() and os.access(path, os.X_OK)
    }


def run(name: str, program: Path, seconds: int) -> str:
    """Runs one target. Returns the end of its output if it fails, else an empty text."""
    seeds = CORPUS / name
    if not seeds.is_dir() or not any(seeds.iterdir()):
        return f"has no seeds in {seeds.relative_to(ROOT)}"
    corpus, artifacts = BUILD / "corpus" / name, BUILD / "found" / name
    corpus.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    command = [
        str(program),
        str(corpus),
        str(seeds),
        f"-max_total_time={seconds}",
        "-timeout=5",
        f"-rss_limit_mb={MEMORY_MIB}",
        "-max_len=65536",
        "-print_final_stats=1",
        "-verbosity=0",
        f"-artifact_prefix={artifacts}/",
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
    parser.add_argument(
        "--seconds",
        type=int,
        default=harness.rounds(30),
        help="time for each target (30; 150 under ./dev test --long)",
    )
    parser.add_argument("--only", default="", help="run only the target of this name")
    options = parser.parse_args()
    build()
    found = targets()
    missing = EXPECTED - set(found)
    failures = {name: "this target does not exist" for name in missing}
    selected = {name: program for name, program in found.items() if options.only in ("", name)}
    with ThreadPoolExecutor(os.cpu_count() or 1) as cores:
        runs = {name: cores.submit(run, name, program, options.seconds) for name, program in selected.items()}
    failures |= {name: done.result() for name, done in runs.items() if done.result()}
    for name, failure in failures.items():
        print(f"{name}: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
