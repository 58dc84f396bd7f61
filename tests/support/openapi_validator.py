# SPDX-License-Identifier: Apache-2.0
"""Runs a public OpenAPI validator from npm (tests/openapi) on a document of the program."""

import subprocess
from pathlib import Path

import harness

VALIDATOR = harness.ROOT / "tests" / "openapi"


def validation_errors(file: Path, document: bytes) -> str:
    """Writes the document to `file` and returns the validator's output; empty if the document is valid."""
    if not (VALIDATOR / "node_modules").is_dir():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=VALIDATOR, check=True, timeout=300)
    file.write_bytes(document)
    done = subprocess.run(
        ["node", "validate.mjs", str(file)],
        cwd=VALIDATOR,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return "" if done.returncode == 0 else f"{done.returncode}: {done.stdout}{done.stderr}"
