# SPDX-License-Identifier: Apache-2.0
"""The tools that Debian packages (packages.txt: awscli, python3-boto3), by their places: what comes first in
PATH may be another version, and then it would be that one which is tested."""

import os
import sys

AWS = "/usr/bin/aws"
PYTHON = "/usr/bin/python3"


def python() -> None:
    """Runs the file that is running with Debian's Python, if another one runs it."""
    if sys.executable != PYTHON:
        os.execv(PYTHON, [PYTHON, *sys.argv])
