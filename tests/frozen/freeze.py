#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Freezes a data folder: starts `integreat dev` of a given binary, creates content of every kind through the public
interfaces, stops it, and packs the folder into NAME.tar.xz. NAME.expected.json says what must be found again.

    tests/frozen/freeze.py --binary build/release/src/integreat --apps apps --name 03c68b7

README.md beside this file says when to add an archive. frozen_data_test.py opens all of them.
"""

import argparse
import datetime
import hashlib
import http.server
import json
import lzma
import subprocess
import sys
import tarfile
import threading
import time
import uuid
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "support"))
import harness  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402
from clients import Clients  # noqa: E402

PASSWORD = "Tamang kabayo, 1 baterya"
ADDRESS = {"line": "12 Mabini", "barangay": "San Roque", "city": "Marikina", "province": "Metro Manila"}
CARD = {"key": "applicants/138.pdf", "name": "138.pdf", "content_type": "application/pdf", "bytes": 12345}
SEEDED = "teleo"
PART_BYTES = 5 * 1024 * 1024  # The smallest part of S3, except for the last one.
SECONDS_UNTIL_EXPIRY = 5
LOG_SECONDS_MAX = 30  # Until the transaction log has the rows of the last requests.
QUIET_SECONDS = 3  # A feed that says nothing for so long has told everything.

# Left out of the archive: rebuilt at each start, or about a process that has ended.
LEFT_OUT = {
    "data/postgres/lock",
    "data/postgres/run",
    "data/postgres/socket-folder",
    "data/postgres/data/postmaster.opts",
    "data/postgres/data/postmaster.pid",
}


def numbered_lines(size: int, word: str) -> bytes:
    """Returns text that compresses well and in which no two blocks are equal."""
    lines = bytearray()
    number = 0
    while len(lines) < size:
        lines += f"{word} {number:09}\n".encode()
        number += 1
    return bytes(lines[:size])


class Upstream(http.server.BaseHTTPRequestHandler):
    """Stands behind the relayed routes and accepts everything."""

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


class Freezer:
    """Creates the content and notes it in `expected`."""

    def __init__(self, program: harness.Program) -> None:
        self.program = program
        self.expected: dict = {
            "callers": {},
            "aws_keys": {"root": self.read_root_keys()},
            "tenants": program.ready["tenants"],
            "accounts": [],
            "disabled": [],
            "refused_keys": [],
            "listed_keys": [],
            "reads": [],
            "pages": [],
            "feeds": [],
            "replays": [],
            "requests": [],
            "identities": [],
            "buckets": [],
            "objects": [],
            "pending_uploads": [],
            "parameters": [],
            "mail": {},
            "denied": [],
            "changes": [],
        }
        self.clients = Clients(program, self.expected["callers"], self.expected["aws_keys"])
        self.to_read: list[tuple[str, str]] = []

    def read_root_keys(self) -> dict[str, str]:
        lines = Path(self.program.ready["aws_credentials"]).read_text().splitlines()
        pairs = dict(line.split(" = ") for line in lines if " = " in line)
        return {name: pairs[name] for name in ("aws_access_key_id", "aws_secret_access_key")}

    # Requests

    def send(self, caller: str, method: str, path: str, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.clients.send(caller, method, path, body, headers)

    def do(self, caller: str, method: str, path: str, body=None, **headers) -> dict:
        response = self.send(caller, method, path, body, **headers)
        if response.status not in (200, 201, 204):
            raise AssertionError(f"{caller} {method} {path}: {response.status} {response.body[:600]!r}")
        return response.json() if response.body else {}

    def create(self, caller: str, collection: str, body, *readers: str) -> str:
        """Creates a record, to be read by its creator and by `readers` in the end; returns its path."""
        path = f"{collection}/{self.do(caller, 'POST', collection, body)['id']}"
        for reader in (caller, *readers):
            self.read_in_the_end(reader, path)
        return path

    def patch(self, caller: str, path: str, body: dict) -> dict:
        version = self.do(caller, "GET", path)["version"]
        return self.do(caller, "PATCH", path, body, If_Match=f'"{version}"')

    def read_in_the_end(self, caller: str, *paths: str) -> None:
        self.to_read += [(caller, path) for path in paths]

    # Local Firebase

    def firebase(self, app: str, operation: str, body: dict, backend: bool = False) -> dict:
        tenant = self.program.ready["tenants"][app]
        base = "/identitytoolkit.googleapis.com/v1/"
        path = f"{base}{operation}?key={tenant['firebase_api_key']}"
        if backend:
            path = f"{base}projects/{tenant['firebase_project']}/{operation}"
        response = harness.call(
            self.program.ready["firebase"], "POST", path, body=body, token="owner" if backend else ""
        )
        if response.status != 200:
            raise AssertionError(f"{operation} of {app}: {response.status} {response.body[:400]!r}")
        return response.json()

    def sign_up(self, name: str, app: str, role: str, title: str = "") -> str:
        """Signs a user up and gives them a role; returns the uid."""
        account = {"email": f"{name}@{app}.test", "password": PASSWORD}
        user = self.firebase(app, "accounts:signUp", {**account, "returnSecureToken": True})
        change: dict = {"localId": user["localId"], "displayName": title or name.title()}
        if role:
            change["customAttributes"] = json.dumps({"role": role, "desk": 7})
        self.firebase(app, "accounts:update", change, backend=True)
        self.expected["callers"][name] = {"app": app, "uid": user["localId"], "role": role, **account}
        return user["localId"]

    def create_users(self) -> None:
        self.maria = self.sign_up("maria", "campus", "student", "Maria Clara Dela Cruz")
        self.prof = self.sign_up("prof", "campus", "professor")
        self.sign_up("rosa", "campus", "registrar")
        self.sign_up("dan", "campus", "admin")
        self.newcomer = self.sign_up("newcomer", "campus", "")
        self.sign_up("vera", "evntgarde", "vendor")
        self.sign_up("carl", "evntgarde", "customer")
        self.sign_up("adele", "pillars", "admin")
        self.sign_up("ana", "teleo", "church_admin")
        for app in ("campus", "teleo"):
            admin = "admin" if app == "campus" else "church_admin"
            ready_made = next(user for user in self.expected["tenants"][app]["users"] if user["role"] == admin)
            self.expected["callers"][f"ready-made of {app}"] = {"app": app, **ready_made}
        operator = self.expected["tenants"]["integreat-core"]["users"][0]
        self.expected["callers"]["operator"] = {"app": "integreat-core", **operator}
        anonymous = self.firebase("evntgarde", "accounts:signUp", {"returnSecureToken": True})
        self.expected["callers"]["visitor"] = {
            "app": "evntgarde",
            "uid": anonymous["localId"],
            "refresh_token": anonymous["refreshToken"],
        }
        self.sign_up("expelled", "campus", "student")
        expelled = self.expected["callers"].pop("expelled")
        change = {"localId": expelled["uid"], "disableUser": True}
        self.firebase("campus", "accounts:update", change, backend=True)
        self.expected["disabled"].append(expelled)

    # API keys

    def create_key(self, name: str, app: str, scopes: list[str], expires: str | None = None) -> dict:
        body = {"name": name, "scopes": scopes, "expires": expires}
        made = self.do("operator", "POST", f"/v1/admin/tenants/{app}/keys", body)
        caller = {"app": app, "key": made["key"], "id": made["id"]}
        self.expected["callers"][name] = caller
        return caller

    def create_keys(self) -> None:
        self.create_key("feeder", "campus", ["role:registrar", "registrar:write"])
        self.create_key("payments", "evntgarde", ["role:admin"])
        revoked = self.create_key("revoked", "campus", ["role:registrar"])
        self.do("operator", "DELETE", f"/v1/admin/tenants/campus/keys/{revoked['id']}")
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=SECONDS_UNTIL_EXPIRY)
        self.create_key("expired", "campus", ["role:registrar"], end.strftime("%Y-%m-%dT%H:%M:%SZ"))
        self.expected["refused_keys"] = [
            {"caller": "revoked", "status": 401, "problem": "api-key-revoked"},
            {"caller": "expired", "status": 401, "problem": "api-key-expired"},
        ]

    # Records

    def create_campus(self) -> None:
        base = "/v1/apps/campus"
        feed = self.clients.follow("rosa", f"{base}/programs/changes")
        self.feed_start = feed.next()["id"]
        feed.close()
        program = {"code": "BSN", "title": "Nursing", "college": "Health", "description": "Kalusugan – 看護"}
        self.degree = self.create("rosa", f"{base}/programs", program, "", "feeder")
        course = {
            "code": "N 101",
            "title": "Care",
            "units": "3.0",
            "program": self.degree.rsplit("/", 1)[1],
            "prerequisites": ["N 100", "NSTP 1"],
        }
        course_path = self.create("feeder", f"{base}/courses", course, "maria")
        self.read_in_the_end("maria", f"{base}/courses?code=N 101&expand=program".replace(" ", "%20"))
        term = {
            "name": "First Semester 2026-2027",
            "school_year": "2026-2027",
            "semester": "first",
            "begins": "2026-08-01",
            "ends": "2026-12-15",
            "enrollment_until": "2026-08-15",
        }
        self.term = self.create("rosa", f"{base}/terms", term, "")
        self.do("rosa", "POST", self.term + "/open_enrollment")
        section = {
            "code": "BSN-1A",
            "course": course_path.rsplit("/", 1)[1],
            "term": self.term.rsplit("/", 1)[1],
            "professor": self.prof,
            "schedule": "MWF 9:00-10:00",
        }
        self.section = self.create("rosa", f"{base}/sections", section, "prof", "maria")
        self.create_applicant(base)
        self.create_student(base)
        self.create_tables(base)

    def create_applicant(self, base: str) -> None:
        applicant = {
            "family_name": "Dela Cruz",
            "given_name": "Maria Clara",
            "born": "2008-03-01",
            "email": "mc@example.com",
            "mobile": "0917 123 4567",
            "address": ADDRESS,
            "program": self.degree.rsplit("/", 1)[1],
            "lrn": "136514090123",
        }
        path = self.create("newcomer", f"{base}/applicants", applicant, "rosa")
        self.patch("newcomer", path, {"last_school": "Marikina Science High School"})
        self.do("rosa", "POST", path + "/screen", {"general_average": "91.5"})
        exam = {"applicant": path.rsplit("/", 1)[1], "exam_score": "80", "interview_score": "90"}
        self.create("rosa", f"{base}/screenings", exam)
        self.do("rosa", "POST", path + "/admit", {"message": "Welcome"})
        self.patch("rosa", path, {"report_card": CARD, "birth_certificate": CARD})
        self.do("rosa", "POST", path + "/enroll")
        self.applicant = path
        self.read_in_the_end("dan", path + "/history")
        # Erased from the records and from their history.
        self.sign_up("forgotten", "campus", "")
        gone = {**applicant, "lrn": "136514090999", "email": "forgotten@campus.test"}
        path = self.create("forgotten", f"{base}/applicants", gone, "rosa")
        erased = self.program.cli(
            *("privacy", "erase", "--app", "campus", "--data", str(self.program.data_folder)),
            *(*self.program.config_options, "--subject", self.expected["callers"]["forgotten"]["uid"]),
        )
        if erased.returncode != 0:
            raise AssertionError(erased.stdout + erased.stderr)
        self.read_in_the_end("dan", path + "/history")

    def create_student(self, base: str) -> None:
        student = {
            "user": self.maria,
            "number": "2026-00042",
            "family_name": "Dela Cruz",
            "given_name": "Maria",
            "email": "maria@example.com",
            "program": self.degree.rsplit("/", 1)[1],
            "applicant": self.applicant.rsplit("/", 1)[1],
        }
        path = self.create("rosa", f"{base}/students", student, "maria")
        place = {"student": path.rsplit("/", 1)[1], "section": self.section.rsplit("/", 1)[1]}
        enrollment = self.create("maria", f"{base}/enrollments", place, "prof")
        self.do("rosa", "POST", enrollment + "/enroll", {"units": "3.0"})
        grade = {"enrollment": enrollment.rsplit("/", 1)[1], "period": "midterm", "value": "1.50"}
        midterm = self.create("prof", f"{base}/grades", grade, "maria")
        self.create("prof", f"{base}/grades", {**grade, "period": "final", "value": "2.00", "weight": 3}, "maria")
        self.do("maria", "POST", midterm + "/contest", {"objection": "Page 3 was not counted"})
        self.do("prof", "POST", midterm + "/settle", {"value": "1.25"})
        self.do("rosa", "POST", midterm + "/finalize")
        invoice = {
            "number": "INV-2026-00001",
            "student": path.rsplit("/", 1)[1],
            "term": self.term.rsplit("/", 1)[1],
            "amount": {"amount": 2500050, "currency": "PHP"},
            "due": "2026-09-01",
        }
        owed = self.create("rosa", f"{base}/invoices", invoice, "maria")
        payment = {"invoice": owed.rsplit("/", 1)[1], "amount": {"amount": 2500049}, "method": "gcash"}
        self.create("rosa", f"{base}/payments", {**payment, "receipt": "OR-0000001"}, "maria")
        self.read_in_the_end("rosa", *(one + "/history" for one in (path, enrollment, midterm, owed)))
        self.student = path
        # Deleted softly: the record is gone for readers and kept in its history.
        second = self.create("rosa", f"{base}/students", {**self.unrelated(student), "number": "2026-00043"})
        self.do("dan", "DELETE", second, If_Match='"1"')

    def unrelated(self, student: dict) -> dict:
        rest = {name: value for name, value in student.items() if name not in ("user", "applicant")}
        return {**rest, "email": "second@example.com"}

    def create_tables(self, base: str) -> None:
        """Records in numbers: a list in one request, an import, an export, pages and aggregates."""
        terms = [
            {
                "name": f"Midyear {year}",
                "school_year": f"{year}-{year + 1}",
                "semester": "midyear",
                "begins": f"{year}-06-01",
                "ends": f"{year}-07-15",
            }
            for year in range(2030, 2042)
        ]
        self.do("rosa", "POST", f"{base}/terms", terms)
        rows = ["code,title,units,description"]
        rows += [f'GE {number},"Course, ""{number}""",3.0,{"x" * (number % 7)}' for number in range(200, 260)]
        table = "\r\n".join([*rows, ""]).encode()
        self.do("feeder", "POST", f"{base}/courses/import", table, Content_Type="text/csv")
        list_path = f"{base}/terms?semester=midyear&sort=name&limit=5"
        first = self.do("maria", "GET", list_path)
        second = self.do("maria", "GET", f"{list_path}&next={first['next']}")
        self.expected["pages"].append(
            {
                "caller": "maria",
                "path": f"{list_path}&next={first['next']}",
                "ids": [item["id"] for item in second["items"]],
            }
        )
        self.read_in_the_end(
            "maria",
            f"{base}/courses/export.csv?code=starts.GE",
            f"{base}/courses/aggregate?select=count,sum(units)&code=starts.GE",
            f"{base}/courses?q=Care",
            f"{base}/terms?begins=ge.2039-01-01&sort=-begins",
        )

    def create_evntgarde(self) -> None:
        base = "/v1/apps/evntgarde"
        venue = {
            "name": "Hardin ng Postema",
            "kind": "garden",
            "address": ADDRESS,
            "capacity": 300,
            "day_rate": {"amount": 4500000, "currency": "PHP"},
            "amenities": ["parking", "wifi"],
            "phone": "0917 123 4567",
            "photo": {**CARD, "content_type": "image/png", "name": "hardin.png", "key": "venues/hardin.png"},
        }
        venue_path = self.create("vera", f"{base}/venues", venue, "")
        self.do("vera", "POST", venue_path + "/publish")
        service = {
            "title": "Lechon and native buffet",
            "category": "catering",
            "price": {"amount": 15000000},
            "venue": venue_path.rsplit("/", 1)[1],
            "areas": ["Cavite", "Laguna"],
        }
        self.service = self.create("vera", f"{base}/services", service, "visitor")
        self.do("vera", "POST", self.service + "/publish")
        wish = {
            "service": self.service.rsplit("/", 1)[1],
            "wanted_at": "2026-01-31T10:00:00+08:00",
            "contact": "0918 765 4321",
        }
        booking = self.create("carl", f"{base}/bookings", wish, "vera", "payments")
        offer = {"price": {"amount": 15000000}, "deposit": {"amount": 5000000}}
        self.do("vera", "POST", booking + "/accept", offer)
        self.do("payments", "POST", booking + "/pay_deposit", {"payment": "pay_8f3KqWc1"})
        draft = {**venue, "name": "Draft of Vera"}
        self.create("vera", f"{base}/venues", draft, "carl")  # A draft is its owner's: others are refused.

    def create_pillars(self) -> None:
        base = "/v1/apps/pillars"
        instrument = {"title": "AACCUP", "body": "aaccup", "edition": "2024"}
        path = self.create("adele", f"{base}/instruments", instrument)
        for number, weight in enumerate(("8.00", "4.00", "2.50")):
            criterion = {
                "instrument": path.rsplit("/", 1)[1],
                "area": "faculty",
                "code": f"II-A.{number}",
                "text": "Well kept",
                "weight": weight,
            }
            self.create("adele", f"{base}/criteria", criterion)
        self.do("adele", "POST", path + "/activate")

    def seed(self) -> None:
        """Fills one app with hundreds of records, of which the numbers are noted."""
        seeded = self.program.cli(
            *("seed", "--app", SEEDED, "--data", str(self.program.data_folder), *self.program.config_options), timeout=180
        )
        if seeded.returncode != 0:
            raise AssertionError(seeded.stdout + seeded.stderr)
        admin = f"ready-made of {SEEDED}"
        base = f"/v1/apps/{SEEDED}"
        for collection in ("churches", "members", "ministries", "donations", "gatherings", "service_requests"):
            self.read_in_the_end(admin, f"{base}/{collection}/aggregate?select=count")
        self.read_in_the_end("ana", f"{base}/churches?sort=id&limit=3")
        church = {"name": "Bread of Life", "address": ADDRESS}
        path = self.create("ana", f"{base}/churches", church)
        leader = {
            "church": path.rsplit("/", 1)[1],
            "user": self.expected["callers"]["ana"]["uid"],
            "name": "Ana",
            "position": "administrator",
        }
        self.create("ana", f"{base}/leaders", leader)

    # Requests that leave a trace

    def repeatable(self, caller: str, method: str, path: str, body) -> None:
        """A request with an Idempotency-Key. Its response is noted as a repetition gets it, since that of a new API
        key differs."""
        key = str(uuid.uuid4())
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        first = self.clients.send(caller, method, path, body, headers)
        again = self.clients.send(caller, method, path, body, headers)
        if again.headers["Idempotent-Replayed"] != "true" or first.status != again.status:
            raise AssertionError(f"{method} {path}: {first.status} {again.status} {again.body[:400]!r}")
        self.expected["replays"].append(
            {
                "caller": caller,
                "method": method,
                "path": path,
                "headers": headers,
                "body": body.decode(),
                "status": again.status,
                "response": again.body.decode(),
            }
        )

    def repeat_requests(self) -> None:
        campus = "/v1/apps/campus"
        self.repeatable("rosa", "POST", f"{campus}/programs", {"code": "BSIT", "title": "IT", "college": "CS"})
        term = self.do("rosa", "POST", f"{campus}/terms", {
            "name": "Second Semester 2026-2027",
            "school_year": "2026-2027",
            "semester": "second",
            "begins": "2027-01-10",
            "ends": "2027-05-20",
            "enrollment_until": "2027-01-20",
        })  # fmt: skip
        self.repeatable("feeder", "POST", f"{campus}/terms/{term['id']}/open_enrollment", {})
        key = {"name": "made once", "scopes": ["role:registrar"]}
        self.repeatable("operator", "POST", "/v1/admin/tenants/campus/keys", key)
        self.repeatable("newcomer", "POST", f"{campus}/applications", {"wish": "Nursing"})  # Relayed.

    def note_request(self, response, caller: str, method: str, path: str) -> None:
        kept = {"id": response.headers["Integreat-Request-Id"], "caller": caller, "method": method}
        kept |= {"path": path.partition("?")[0], "status": response.status}
        if response.status >= 400:
            kept["problem"] = response.json()["type"].rpartition("/")[2]
        self.expected["requests"].append(kept)

    def make_requests(self) -> None:
        """Requests of which the transaction log tells later: some refused, in each stage of the pipeline, and one
        that was not."""
        campus = "/v1/apps/campus"
        wrong = '"99"'
        for caller, method, path, body, headers in (
            ("", "GET", f"{campus}/students", None, {}),
            ("maria", "POST", f"{campus}/programs", {"code": "X", "title": "X", "college": "X"}, {}),
            ("carl", "GET", f"{campus}/students", None, {}),  # A user of another app.
            ("newcomer", "GET", self.student, None, {}),
            ("maria", "PATCH", self.student, {"mobile": "0918 765 4321"}, {"If_Match": wrong}),
            ("maria", "PATCH", self.student, {"state": "graduated"}, {"If_Match": wrong}),
            ("revoked", "GET", f"{campus}/students", None, {}),
            ("rosa", "POST", self.degree + "/nothing", None, {}),
            ("rosa", "GET", f"{campus}/terms?sort=name", None, {}),
        ):
            response = self.send(caller, method, path, body, **headers)
            self.note_request(response, caller, method, path)

    # Local cloud

    def put(self, holder: str, bucket: str, key: str, body: bytes, **more) -> None:
        put = self.clients.aws("s3", holder).put_object(Bucket=bucket, Key=key, Body=body, **more)
        self.note_object(bucket, key, body, [holder, "root"], put)

    def note_object(self, bucket: str, key: str, body: bytes, readers: list[str], made: dict) -> None:
        root = self.clients.aws("s3", "root")
        which = {"VersionId": made["VersionId"]} if made.get("VersionId") else {}
        head = root.head_object(Bucket=bucket, Key=key, **which)
        tags = root.get_object_tagging(Bucket=bucket, Key=key, **which)["TagSet"]
        self.expected["objects"].append(
            {
                "bucket": bucket,
                "key": key,
                "version": made.get("VersionId"),
                "readers": list(dict.fromkeys(readers)),
                "bytes": len(body),
                "sha256": hashlib.sha256(body).hexdigest(),
                "etag": head["ETag"],
                "type": head["ContentType"],
                "metadata": head["Metadata"],
                "tags": tags,
                "modified": head["LastModified"].isoformat(),
            }
        )

    def create_objects(self) -> None:
        root = self.clients.aws("s3", "root")
        bucket = self.program.ready["tenants"]["campus"]["bucket"]
        identity, _ = self.clients.identity("maria")
        self.expected["identities"].append({"caller": "maria", "identity": identity})
        mine = f"users/{identity}/"
        self.put(
            *("maria", bucket, mine + "tala ng ñ – 看護.txt", "Magandang umaga\n".encode()),
            ContentType="text/plain; charset=utf-8",
            Metadata={"owner": "maria"},
        )
        root.put_object(Bucket=bucket, Key="shared/tagged", Body=b"tagged", Tagging="kind=report&year=2026")
        root.put_object_tagging(
            Bucket=bucket, Key="shared/tagged", Tagging={"TagSet": [{"Key": "kind", "Value": "final report"}]}
        )
        self.note_object(bucket, "shared/tagged", b"tagged", ["root", "maria"], {})
        self.put_in_parts("maria", bucket, mine + "film.mp4")
        self.begin_upload("maria", bucket, mine + "pending.bin")
        # The last one: after a response without 100 Continue, botocore misreads the next one on that connection.
        self.put("maria", bucket, mine + "empty", b"")

    def put_in_parts(self, holder: str, bucket: str, key: str) -> None:
        s3 = self.clients.aws("s3", holder)
        bodies = [numbered_lines(PART_BYTES, "first"), numbered_lines(PART_BYTES + 1, "second"), b"the end\n"]
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key, ContentType="video/mp4")["UploadId"]
        parts = []
        for number, body in enumerate(bodies, 1):
            put = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": put["ETag"]})
        s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
        self.note_object(bucket, key, b"".join(bodies), [holder, "root"], {})

    def begin_upload(self, holder: str, bucket: str, key: str) -> None:
        """An upload whose second part comes after the folder is opened again."""
        s3 = self.clients.aws("s3", holder)
        body, rest = numbered_lines(PART_BYTES, "pending"), "the rest, later\n"
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        put = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=body)
        self.expected["pending_uploads"].append(
            {
                "holder": holder,
                "bucket": bucket,
                "key": key,
                "upload": upload,
                "etag": put["ETag"],
                "rest": rest,
                "sha256": hashlib.sha256(body + rest.encode()).hexdigest(),
            }
        )

    def create_versions(self) -> None:
        """A bucket of its own with versions, settings and a reader with an access key."""
        root, bucket = self.clients.aws("s3", "root"), "frozen-versions"
        root.create_bucket(Bucket=bucket)
        root.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for text in (b"one", b"two"):
            self.put("root", bucket, "versioned", text)
        self.put("root", bucket, "deleted", b"still there by its version")
        root.delete_object(Bucket=bucket, Key="deleted")
        rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://campus.example"], "MaxAgeSeconds": 60}
        root.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
        root.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "kind", "Value": "frozen"}]})
        arn = f"arn:aws:s3:::{bucket}"
        allowed = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": f"{arn}/*"}
        secret = {"Effect": "Deny", "Action": "s3:*", "Resource": f"{arn}/deleted"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed, secret]})
        iam = self.clients.aws("iam", "root")
        iam.create_user(UserName="auditor")
        iam.put_user_policy(UserName="auditor", PolicyName="Reads", PolicyDocument=policy)
        key = iam.create_access_key(UserName="auditor")["AccessKey"]
        self.expected["aws_keys"]["auditor"] = {
            "aws_access_key_id": key["AccessKeyId"],
            "aws_secret_access_key": key["SecretAccessKey"],
        }
        for kept in self.expected["objects"]:
            if kept["bucket"] == bucket and kept["key"] == "versioned":
                kept["readers"].append("auditor")
        deleted = next(kept for kept in self.expected["objects"] if kept["key"] == "deleted")
        self.expected["denied"].append(
            {"holder": "auditor", "bucket": bucket, "key": "deleted", "version": deleted["version"]}
        )
        operator = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn}
        operator["Principal"] = {"AWS": "arn:aws:iam::000000000000:user/auditor"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [operator]})
        root.put_bucket_policy(Bucket=bucket, Policy=document)
        self.note_bucket(bucket)

    def note_bucket(self, bucket: str) -> None:
        root = self.clients.aws("s3", "root")
        versions = root.list_object_versions(Bucket=bucket)
        self.expected["buckets"].append(
            {
                "bucket": bucket,
                "versioning": root.get_bucket_versioning(Bucket=bucket)["Status"],
                "cors": root.get_bucket_cors(Bucket=bucket)["CORSRules"],
                "tags": root.get_bucket_tagging(Bucket=bucket)["TagSet"],
                "policy": json.loads(root.get_bucket_policy(Bucket=bucket)["Policy"]),
                "versions": [[one["Key"], one["VersionId"]] for one in versions["Versions"]],
                "delete_markers": [[one["Key"], one["VersionId"]] for one in versions["DeleteMarkers"]],
            }
        )

    def create_parameters_and_mail(self) -> None:
        ssm, ses = self.clients.aws("ssm", "root"), self.clients.aws("sesv2", "root")
        for name, value, kind in (
            ("/integreat/url", "https://campus.example", "String"),
            ("/integreat/list", "a,b", "StringList"),
            ("/integreat/secret", "lihim na susi ñ", "SecureString"),
        ):
            ssm.put_parameter(Name=name, Value="before", Type=kind)
            ssm.put_parameter(Name=name, Value=value, Type=kind, Overwrite=True)
            self.expected["parameters"].append({"name": name, "value": value, "type": kind, "version": 2})
        ses.create_email_identity(EmailIdentity="campus.example")
        template = {"Subject": "Hello {{name}}", "Text": "{{name}}!"}
        ses.create_email_template(TemplateName="greeting", TemplateContent=template)
        ses.put_suppressed_destination(EmailAddress="never@example.com", Reason="COMPLAINT")
        sender = {"FromEmailAddress": "rosa@campus.example"}
        receiver = {"Destination": {"ToAddresses": ["maria@example.com"]}}
        text = {"Simple": {"Subject": {"Data": "Welcome"}, "Body": {"Text": {"Data": "Maligayang pagdating"}}}}
        ses.send_email(**sender, **receiver, Content=text)
        filled = {"Template": {"TemplateName": "greeting", "TemplateData": '{"name":"Maria"}'}}
        ses.send_email(**sender, **receiver, Content=filled)
        outbox = harness.call(self.program.ready["aws"], "GET", "/_integreat/outbox").json()
        self.expected["mail"] = {
            "identities": ["campus.example"],
            "templates": {"greeting": template},
            "suppressed": ["never@example.com"],
            "outbox": outbox["mails"],
        }

    # Notes of the end

    def note_changes(self) -> None:
        """Requests that the test makes on the old records, and records that it adds."""
        campus = "/v1/apps/campus"
        version = self.do("rosa", "GET", self.degree)["version"]
        self.expected["changes"] = [
            {"caller": "rosa", "method": "PATCH", "path": self.degree, "body": {"title": "Nursing, revised"},
             "if_match": version},
            {"caller": "rosa", "method": "POST", "path": self.term + "/begin", "body": None},
            {"caller": "feeder", "method": "POST", "path": f"{campus}/programs",
             "body": {"code": "BSNEW", "title": "New", "college": "New"}},
            {"caller": "maria", "method": "PATCH", "path": self.student, "body": {"mobile": "0918 765 4321"},
             "if_match": self.do("maria", "GET", self.student)["version"]},
            {"caller": "vera", "method": "POST", "path": "/v1/apps/evntgarde/services",
             "body": {"title": "Cake", "category": "cake", "price": {"amount": 150000}}},
            {"caller": "adele", "method": "POST", "path": "/v1/apps/pillars/instruments",
             "body": {"title": "PAASCU", "body": "paascu", "edition": "2027"}},
            {"caller": "ana", "method": "POST", "path": "/v1/apps/teleo/churches",
             "body": {"name": "New Life", "address": ADDRESS}},
        ]  # fmt: skip

    def note_feed(self, caller: str, path: str) -> None:
        feed = self.clients.follow(caller, path, self.feed_start)
        feed.connection.sock.settimeout(QUIET_SECONDS)
        events = []
        try:
            while True:
                event = feed.next()
                if "event" in event:
                    events.append([event["event"], event["data"]["id"]])
        except TimeoutError:
            feed.close()
        self.expected["feeds"].append(
            {"caller": caller, "path": path, "last_event_id": self.feed_start, "events": events}
        )

    def note_reads(self) -> None:
        for caller, path in dict.fromkeys(self.to_read):
            response = self.send(caller, "GET", path)
            read = {"caller": caller, "path": path, "status": response.status}
            if response.status == 200:
                read["etag"] = response.headers["ETag"]
                if response.headers.get_content_type() == "application/json":
                    read["json"] = response.json()
                else:
                    read["text"] = response.body.decode()
            else:
                read["problem"] = response.json()["type"].rpartition("/")[2]
            self.expected["reads"].append(read)

    def note_accounts(self) -> None:
        changing = {"lastLoginAt", "lastRefreshAt"}
        for caller in [*self.expected["callers"].values(), *self.expected["disabled"]]:
            if "uid" in caller:
                account = self.clients.lookup_account(caller["app"], caller["uid"])
                kept = {name: value for name, value in account.items() if name not in changing}
                self.expected["accounts"].append({"app": caller["app"], "account": kept})
        for app in ("campus", "evntgarde"):
            keys = self.do("operator", "GET", f"/v1/admin/tenants/{app}/keys")["keys"]
            self.expected["listed_keys"].append(
                {"app": app, "keys": [{name: value for name, value in key.items() if name != "last_used"} for key in keys]}
            )

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
        self.note_feed("rosa", "/v1/apps/campus/programs/changes")
        self.note_reads()
        self.note_accounts()
        self.check_refusals()
        return self.expected

    def check_refusals(self) -> None:
        """What the test will expect to be refused is refused now."""
        for refused in self.expected["refused_keys"]:
            response = self.send(refused["caller"], "GET", "/v1/apps/campus/students")
            found = (response.status, response.json()["type"].rpartition("/")[2])
            if found != (refused["status"], refused["problem"]):
                raise AssertionError(f"{refused}: {found}")
        for denied in self.expected["denied"]:
            which = {"Bucket": denied["bucket"], "Key": denied["key"], "VersionId": denied["version"]}
            try:
                self.clients.aws("s3", denied["holder"]).get_object(**which)
            except ClientError as refusal:
                denied["code"] = refusal.response["Error"]["Code"]
            else:
                raise AssertionError(f"{denied} is allowed")
        for request in self.expected["requests"]:
            path = f"/v1/admin/decisions/{request['id']}"
            harness.wait_until(
                lambda path=path: self.send("operator", "GET", path).status == 200,
                LOG_SECONDS_MAX,
                f"the transaction log has {request}",
                every=0.5,
            )


def prepare_databases(program: harness.Program) -> None:
    """Changes what would be gone when the archive is opened years later, and leaves as little write-ahead log as
    possible: records of idempotency keys last a day."""
    for database in ("platform", *(f"tenant_{app}" for app in program.ready["tenants"] if app != "integreat-core")):
        subprocess.run(
            [*harness.PSQL, "-c",
             "UPDATE integreat.idempotency_keys SET expires_at = now() + interval '100 years'",
             "-c", "VACUUM ANALYZE"],
            env=program.database(database), check=True, timeout=120,
        )  # fmt: skip
    subprocess.run(
        [*harness.PSQL, "-c", "SELECT pg_switch_wal()", "-c", "CHECKPOINT"],
        env=program.database("platform"), check=True, timeout=120, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def first_needed_segment(cluster: Path) -> str:
    """Returns the file of write-ahead log with which a cluster that was stopped cleanly starts."""
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
    """Packs the data folder. Postgres's part belongs to the user postgres, the rest to root: who unpacks as another
    user owns all of it."""
    needed = first_needed_segment(folder / "data" / "postgres" / "data")

    def entry(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        left_out = member.name in LEFT_OUT or Path(member.name).suffix == ".log"
        wal = Path(member.name).parent.name == "pg_wal" and member.isfile()
        if left_out or (wal and Path(member.name).name != needed) or not (member.isfile() or member.isdir()):
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
        code = program.stop()
        if code != 0:
            raise AssertionError(f"integreat dev ended with {code}:\n{program.log()[-4000:]}")
        made = {"made_by": arguments.name, "made_at": datetime.datetime.now(datetime.timezone.utc).isoformat()}
        pack(program.data, arguments.folder / f"{arguments.name}.tar.xz")
        text = json.dumps({**made, **expected}, indent=1, ensure_ascii=False)
        (arguments.folder / f"{arguments.name}.expected.json").write_text(text + "\n")
    finally:
        program.remove()
        upstream.shutdown()


if __name__ == "__main__":
    main()
