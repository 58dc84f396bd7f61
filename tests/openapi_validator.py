# SPDX-License-Identifier: Apache-2.0
"""The public OpenAPI validator of npm (tests/openapi), held against a document of ours."""

import subprocess
from pathlib import Path

import harness

PLACE = harness.ROOT / "tests" / "openapi"


def complaints(file: Path, document: bytes) -> str:
    """What it says of the document, which is written to `file`; empty if it is valid."""
    if not (PLACE / "node_modules").is_dir():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=PLACE, check=True, timeout=300)
    file.write_bytes(document)
    done = subprocess.run(
        ["node", "validate.mjs", str(file)],
        cwd=PLACE,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return "" if done.returncode == 0 else f"{done.returncode}: {done.stdout}{done.stderr}"
