#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`./dev` finds programs by their absolute paths, and tests run the programs of Debian, even if the PATH of the user
has other programs of the same names."""

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402


def package_rows() -> list[tuple[str, str, str]]:
    """Returns (package, group, path) of each line of packages.txt."""
    lines = (harness.ROOT / "packages.txt").read_text().splitlines()
    rows = [tuple(line.split()[:3]) for line in lines if line.strip() and not line.startswith("#")]
    assert len(rows) > 30, rows
    return rows


def program_paths() -> list[Path]:
    return [Path(path) for _, _, path in package_rows() if path.startswith("/")]


class PackagesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        decoys = Path(self.folder.name, "decoys")
        decoys.mkdir()
        for name in [path.name for path in program_paths()] + ["apt-get", "dpkg-query", "cmake"]:
            decoy = decoys / name
            decoy.write_text(f"#!/bin/sh\necho 'a decoy of {name} ran' >&2\nexit 3\n")
            decoy.chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{decoys}:{os.environ['PATH']}"}

    def missing(self, *arguments: str) -> list[str]:
        done = subprocess.run(
            [str(harness.ROOT / "dev"), "packages", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("decoy", done.stderr)
        return done.stdout.split()

    def test_a_decoy_in_path_does_not_count_as_a_package(self) -> None:
        rows = "".join(f"gone-{path.name} test /nonexistent{path}  # Missing.\n" for path in program_paths())
        listing = Path(self.folder.name, "packages.txt")
        listing.write_text(rows + "gone-module test import:no_such_module_here  # Missing.\n")
        expected = [f"gone-{path.name}" for path in program_paths()] + ["gone-module"]
        self.assertEqual(self.missing("--file", str(listing), "test"), expected)

    def test_everything_the_tests_need_is_present_behind_decoys(self) -> None:
        self.assertEqual(self.missing("run", "test"), [])

    def test_tests_run_the_programs_of_debian(self) -> None:
        programs = [Path(path) for _, group, path in package_rows() if path.startswith("/") and group in ("run", "test")]
        self.assertGreater(len(programs), 5)
        for path in programs:
            found = shutil.which(path.name)
            self.assertTrue(found and os.path.samefile(found, path), f"{path.name} is {found}, not {path}")

    def test_tests_run_with_the_python_of_debian(self) -> None:
        self.assertTrue(os.path.samefile(sys.executable, "/usr/bin/python3"), sys.executable)
        for _, group, path in package_rows():
            if group == "test" and path.startswith("import:"):
                importlib.import_module(path.removeprefix("import:"))


if __name__ == "__main__":
    harness.main()
