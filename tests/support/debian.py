# SPDX-License-Identifier: Apache-2.0
"""Absolute paths of Debian's programs (packages.txt), for tests that must not use others from PATH."""

AWS = "/usr/bin/aws"
PYTHON = "/usr/bin/python3"
