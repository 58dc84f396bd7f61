#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Freezes a data folder: starts `integreat dev` of a given binary, creates content of every kind through the public
interfaces, stops it, and packs the folder into NAME.tar.xz. NAME.expected.json says what must be found again.

    tests/frozen/freeze.py --binary build/release/src/integreat --apps apps --name 03c68b7

README.md beside this file says when to add an archive; frozen_data_test.py opens all of them.
"""

import argparse
import datetime
import http.server
import json
import lzma
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "support"))
import harness  # noqa: E402
from content_cloud import Cloud  # noqa: E402
from content_records import SECONDS_UNTIL_EXPIRY, Records  # noqa: E402
from recorder import stop_cleanly  # noqa: E402

# Files that each start writes anew, or that describe a process that has ended.
EXCLUDED = {
    "data/postgres/lock",
    "data/postgres/run",
    "data/postgres/socket-folder",
    "data/postgres/data/postmaster.opts",
    "data/postgres/data/postmaster.pid",
}


class Upstream(http.server.BaseHTTPRequestHandler):
    """Answers the relayed requests: accepts everything."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        text = json.dumps({"accepted": len(body), "receipt": "R-0001"}).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Freezer(Records, Cloud):
    def freeze(self) -> dict:
        self.create_users()
        self.create_keys()
        self.create_campus()
        self.create_evntgarde()
        self.create_pillars()
        self.seed()
        self.repeat_requests()
        self.create_objects()
        self.create_versions()
        self.create_parameters_and_mail()
        time.sleep(SECONDS_UNTIL_EXPIRY)
        self.make_requests()
        self.note_changes()
        self.note_feed("rosa", "/v1/apps/campus/programs/changes", self.feed_start)
        self.note_reads()
        self.note_accounts()
        self.note_refused_keys()
        self.note_denials()
        self.note_decisions()
        return self.expected


def prepare_databases(program: harness.Program) -> None:
    """Keeps the responses to idempotency keys, which otherwise expire after a day, and starts a new segment of the
    write-ahead log, so that the archive needs only that one."""
    for database in ("platform", *(f"tenant_{app}" for app in program.ready["tenants"] if app != "integreat-core")):
        subprocess.run(
            [*harness.PSQL, "-c",
             "UPDATE integreat.idempotency_keys SET expires_at = now() + interval '100 years'"],
            env=program.database(database), check=True, timeout=120,
        )  # fmt: skip
    subprocess.run(
        [*harness.PSQL, "-c", "SELECT pg_switch_wal()", "-c", "CHECKPOINT"],
        env=program.database("platform"), check=True, timeout=120, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def first_needed_segment(cluster: Path) -> str:
    """Returns the name of the only file of the write-ahead log that a cleanly stopped cluster needs."""
    version = (cluster / "PG_VERSION").read_text().strip()
    control = subprocess.run(
        [f"/usr/lib/postgresql/{version}/bin/pg_controldata", str(cluster)],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    values = dict(line.split(":", 1) for line in control.splitlines() if ":" in line)
    if values["Database cluster state"].strip() != "shut down":
        raise AssertionError(f"the cluster in {cluster} was not stopped cleanly")
    return values["Latest checkpoint's REDO WAL file"].strip()


def pack(folder: Path, archive: Path) -> None:
    """Packs the data folder. The files of Postgres belong to the user postgres, all others to root; tar gives all of
    them to a user who is not root."""
    needed = first_needed_segment(folder / "data" / "postgres" / "data")

    def entry(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        excluded = member.name in EXCLUDED or Path(member.name).suffix == ".log"
        wal = Path(member.name).parent.name == "pg_wal" and member.isfile()
        if excluded or (wal and Path(member.name).name != needed) or not (member.isfile() or member.isdir()):
            return None
        postgres = member.name.startswith("data/postgres") and "/passwords" not in member.name
        member.uname = member.gname = "postgres" if postgres else "root"
        member.uid = member.gid = 0
        return member

    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 64 << 20}]
    with lzma.open(archive, "wb", filters=filters) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(folder / "data", "data", filter=entry)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--binary", type=Path, required=True, help="the program that makes the data folder")
    parser.add_argument("--apps", type=Path, default=harness.ROOT / "apps", help="the manifests of its commit")
    parser.add_argument("--name", required=True, help="the commit of the binary: the name of the archive")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the archive goes")
    arguments = parser.parse_args()
    harness.binary = arguments.binary.resolve()
    upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    environment = {"CAMPUS_PORTAL_URL": f"http://127.0.0.1:{upstream.server_port}"}
    program = harness.Program(apps=arguments.apps, environment=environment)
    try:
        program.start()
        expected = Freezer(program).freeze()
        prepare_databases(program)
        stop_cleanly(program)
        made = {"made_by": arguments.name, "made_at": datetime.datetime.now(datetime.timezone.utc).isoformat()}
        pack(program.data, arguments.folder / f"{arguments.name}.tar.xz")
        text = json.dumps({**made, **expected}, indent=1, ensure_ascii=False)
        (arguments.folder / f"{arguments.name}.expected.json").write_text(text + "\n")
    finally:
        program.remove()
        upstream.shutdown()


if __name__ == "__main__":
    main()
