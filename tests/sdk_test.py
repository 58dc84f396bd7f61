#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The TypeScript clients made from manifests compile under `strict`, and one of them drives a scenario."""

import os
import shutil
import subprocess
import unittest
from pathlib import Path

import harness
from data_test import MANIFEST

HERE = Path(__file__).with_name("sdk")
SDK = harness.ROOT / "sdk" / "js"


def run(*command: str, **more) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **more)


class Sdk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not (SDK / "node_modules").is_dir():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=SDK, check=True, timeout=300)
        apps = harness.make_folder()
        (apps / "clinic.yaml").write_text(MANIFEST)
        for manifest in (harness.ROOT / "apps").glob("*.yaml"):
            shutil.copy(manifest, apps)
        cls.program = harness.Program(apps=apps)
        cls.program.write_configuration()
        cls.source = cls.program.data / "sdk" / "src"
        cls.source.mkdir(parents=True)
        # As an app team has it: the package, what it wants beside it, and their own sources.
        packages = cls.source.parent / "node_modules"
        packages.mkdir()
        for package in (SDK / "node_modules").iterdir():
            (packages / package.name).symlink_to(package)
        (packages / "@integreat").mkdir()
        (packages / "@integreat" / "client").symlink_to(SDK)
        for source in ("scenario.ts", "files.ts"):
            shutil.copy(HERE / source, cls.source)
        shutil.copy(HERE / "tsconfig.json", cls.source.parent)
        (cls.source.parent / "package.json").write_text('{"type": "module"}')

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    def write_client(self, app: str) -> bool:
        done = self.program.cli(
            "sdk", "ts", "--app", app, "--out", str(self.source / f"{app}.ts"), *self.program.places
        )  # fmt: skip
        if "has collections" in done.stderr:
            return False
        self.assertEqual(done.returncode, 0, done.stderr)
        return True

    def test_compiles_and_drives_a_scenario(self):
        written = [
            app.stem for app in sorted(self.program.manifests.glob("*.yaml")) if self.write_client(app.stem)
        ]
        self.assertIn("clinic", written)
        built = run("npm", "run", "--silent", "build", cwd=SDK)
        self.assertEqual(built.returncode, 0, built.stdout + built.stderr)
        compiled = run(str(SDK / "node_modules" / ".bin" / "tsc"), "-p", str(self.source.parent))
        self.assertEqual(compiled.returncode, 0, compiled.stdout)
        self.program.start()
        tokens = {
            f"TOKEN_{role}": self.program.token("clinic", role) for role in ("admin", "nurse", "patient")
        }
        driven = run(
            "node",
            str(self.source.parent / "out" / "scenario.js"),
            env={**os.environ, **tokens, "GATEWAY": self.program.gateway},
        )
        self.assertEqual(driven.returncode, 0, driven.stdout + driven.stderr)

    def test_says_which_apps_there_are(self):
        done = self.program.cli("sdk", "ts", "--app", "clinics", *self.program.places)
        self.assertEqual(done.returncode, 1)
        self.assertIn('did you mean "clinic"?', done.stderr)


if __name__ == "__main__":
    harness.main()
