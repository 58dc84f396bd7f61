#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The TypeScript clients generated from manifests compile with `strict`, and one of them runs a scenario."""

import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import manifests  # noqa: E402

SOURCES = harness.ROOT / "tests" / "sdk"
SDK = harness.ROOT / "sdk" / "js"


def run(*command: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)


class Sdk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not (SDK / "node_modules").is_dir():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=SDK, check=True, timeout=300)
        apps = harness.make_folder()
        (apps / "clinic.yaml").write_text(manifests.CLINIC)
        for manifest in (harness.ROOT / "apps").glob("*.yaml"):
            shutil.copy(manifest, apps)
        cls.program = harness.Program(apps=apps)
        cls.program.write_configuration()
        cls.source = cls.program.data / "sdk" / "src"
        cls.source.mkdir(parents=True)
        # The layout of an app's project: the package, its dependencies, and the sources of the app.
        packages = cls.source.parent / "node_modules"
        packages.mkdir()
        for package in (SDK / "node_modules").iterdir():
            (packages / package.name).symlink_to(package)
        (packages / "@integreat").mkdir()
        (packages / "@integreat" / "client").symlink_to(SDK)
        for source in ("scenario.ts", "files.ts"):
            shutil.copy(SOURCES / source, cls.source)
        shutil.copy(SOURCES / "tsconfig.json", cls.source.parent)
        (cls.source.parent / "package.json").write_text('{"type": "module"}')

    @classmethod
    def tearDownClass(cls):
        cls.program.remove()

    def write_client(self, app: str) -> bool:
        done = self.program.cli(
            "sdk", "ts", "--app", app, "--out", str(self.source / f"{app}.ts"), *self.program.config_options
        )  # fmt: skip
        if "has collections" in done.stderr:
            return False
        self.assertEqual(done.returncode, 0, done.stderr)
        return True

    def test_clients_compile_and_run_a_scenario(self):
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
        done = run(
            "node",
            str(self.source.parent / "out" / "scenario.js"),
            env={**os.environ, **tokens, "GATEWAY": self.program.gateway},
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_suggests_the_name_of_an_app(self):
        done = self.program.cli("sdk", "ts", "--app", "clinics", *self.program.config_options)
        self.assertEqual(done.returncode, 1)
        self.assertIn('did you mean "clinic"?', done.stderr)


if __name__ == "__main__":
    harness.main()
