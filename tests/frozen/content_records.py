# SPDX-License-Identifier: Apache-2.0
"""Content of the gateway: users, API keys, records of the four apps, and requests that leave a trace."""

import datetime

import sign_in
from recorder import Recorder, id_of

ADDRESS = {"line": "12 Mabini", "barangay": "San Roque", "city": "Marikina", "province": "Metro Manila"}
CARD = {"key": "applicants/138.pdf", "name": "138.pdf", "content_type": "application/pdf", "bytes": 12345}
SEEDED = "teleo"
SECONDS_UNTIL_EXPIRY = 5  # The lifetime of the API key that is to be expired.


class Records(Recorder):
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
        anonymous = sign_in.call_firebase(self.program, "evntgarde", "accounts:signUp", {"returnSecureToken": True})
        self.expected["callers"]["visitor"] = {
            "app": "evntgarde",
            "uid": anonymous["localId"],
            "refresh_token": anonymous["refreshToken"],
        }
        self.sign_up("expelled", "campus", "student")
        expelled = self.expected["callers"].pop("expelled")
        change = {"localId": expelled["uid"], "disableUser": True}
        sign_in.call_firebase(self.program, "campus", "accounts:update", change, backend=True)
        self.expected["disabled"].append(expelled)

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

    def note_refused_keys(self) -> None:
        for caller, problem in (("revoked", "api-key-revoked"), ("expired", "api-key-expired")):
            response = self.send(caller, "GET", "/v1/apps/campus/me")
            found = response.json()["type"].rpartition("/")[2]
            if found != problem:
                raise AssertionError(f"the API key is not {caller}: {response.status} {response.body!r}")
            self.expected["refused_keys"].append({"caller": caller, "status": response.status, "problem": found})

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
            "program": id_of(self.degree),
            "prerequisites": ["N 100", "NSTP 1"],
        }
        course_path = self.create("feeder", f"{base}/courses", course, "maria")
        self.read_at_end("maria", f"{base}/courses?code=N 101&expand=program".replace(" ", "%20"))
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
            "course": id_of(course_path),
            "term": id_of(self.term),
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
            "program": id_of(self.degree),
            "lrn": "136514090123",
        }
        path = self.create("newcomer", f"{base}/applicants", applicant, "rosa")
        self.patch("newcomer", path, {"last_school": "Marikina Science High School"})
        self.do("rosa", "POST", path + "/screen", {"general_average": "91.5"})
        exam = {"applicant": id_of(path), "exam_score": "80", "interview_score": "90"}
        self.create("rosa", f"{base}/screenings", exam)
        self.do("rosa", "POST", path + "/admit", {"message": "Welcome"})
        self.patch("rosa", path, {"report_card": CARD, "birth_certificate": CARD})
        self.do("rosa", "POST", path + "/enroll")
        self.applicant = path
        self.read_at_end("dan", path + "/history")
        # The erasure empties the personal fields of the record and of its history.
        self.sign_up("forgotten", "campus", "")
        gone = {**applicant, "lrn": "136514090999", "email": "forgotten@campus.test"}
        path = self.create("forgotten", f"{base}/applicants", gone, "rosa")
        erased = self.program.cli(
            *("privacy", "erase", "--app", "campus", "--data", str(self.program.data_folder)),
            *(*self.program.config_options, "--subject", self.expected["callers"]["forgotten"]["uid"]),
        )
        if erased.returncode != 0:
            raise AssertionError(erased.stdout + erased.stderr)
        self.read_at_end("dan", path + "/history")

    def create_student(self, base: str) -> None:
        student = {
            "user": self.maria,
            "number": "2026-00042",
            "family_name": "Dela Cruz",
            "given_name": "Maria",
            "email": "maria@example.com",
            "program": id_of(self.degree),
            "applicant": id_of(self.applicant),
        }
        path = self.create("rosa", f"{base}/students", student, "maria")
        place = {"student": id_of(path), "section": id_of(self.section)}
        enrollment = self.create("maria", f"{base}/enrollments", place, "prof")
        self.do("rosa", "POST", enrollment + "/enroll", {"units": "3.0"})
        grade = {"enrollment": id_of(enrollment), "period": "midterm", "value": "1.50"}
        midterm = self.create("prof", f"{base}/grades", grade, "maria")
        self.create("prof", f"{base}/grades", {**grade, "period": "final", "value": "2.00", "weight": 3}, "maria")
        self.do("maria", "POST", midterm + "/contest", {"objection": "Page 3 was not counted"})
        self.do("prof", "POST", midterm + "/settle", {"value": "1.25"})
        self.do("rosa", "POST", midterm + "/finalize")
        invoice = {
            "number": "INV-2026-00001",
            "student": id_of(path),
            "term": id_of(self.term),
            "amount": {"amount": 2500050, "currency": "PHP"},
            "due": "2026-09-01",
        }
        owed = self.create("rosa", f"{base}/invoices", invoice, "maria")
        payment = {"invoice": id_of(owed), "amount": {"amount": 2500049}, "method": "gcash"}
        self.create("rosa", f"{base}/payments", {**payment, "receipt": "OR-0000001"}, "maria")
        self.read_at_end("rosa", *(one + "/history" for one in (path, enrollment, midterm, owed)))
        self.student = path
        # A soft deletion hides the record from readers and keeps it in its history.
        second = {name: value for name, value in student.items() if name not in ("user", "applicant")}
        second |= {"number": "2026-00043", "email": "second@example.com"}
        second = self.create("rosa", f"{base}/students", second)
        self.do("dan", "DELETE", second, If_Match='"1"')

    def create_tables(self, base: str) -> None:
        """Creates many records at once, by a list and by an import; reads them in pages, as aggregates and as CSV."""
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
        self.read_at_end(
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
            "venue": id_of(venue_path),
            "areas": ["Cavite", "Laguna"],
        }
        self.service = self.create("vera", f"{base}/services", service, "visitor")
        self.do("vera", "POST", self.service + "/publish")
        wish = {
            "service": id_of(self.service),
            "wanted_at": "2026-01-31T10:00:00+08:00",
            "contact": "0918 765 4321",
        }
        booking = self.create("carl", f"{base}/bookings", wish, "vera", "payments")
        offer = {"price": {"amount": 15000000}, "deposit": {"amount": 5000000}}
        self.do("vera", "POST", booking + "/accept", offer)
        self.do("payments", "POST", booking + "/pay_deposit", {"payment": "pay_8f3KqWc1"})
        draft = {**venue, "name": "Draft of Vera"}
        self.create("vera", f"{base}/venues", draft, "carl")  # Only its owner may read a draft.

    def create_pillars(self) -> None:
        base = "/v1/apps/pillars"
        instrument = {"title": "AACCUP", "body": "aaccup", "edition": "2024"}
        path = self.create("adele", f"{base}/instruments", instrument)
        for number, weight in enumerate(("8.00", "4.00", "2.50")):
            criterion = {
                "instrument": id_of(path),
                "area": "faculty",
                "code": f"II-A.{number}",
                "text": "Well kept",
                "weight": weight,
            }
            self.create("adele", f"{base}/criteria", criterion)
        self.do("adele", "POST", path + "/activate")

    def seed(self) -> None:
        """Fills one app with hundreds of records and counts them."""
        seeded = self.program.cli(
            *("seed", "--app", SEEDED, "--data", str(self.program.data_folder)),
            *self.program.config_options,
            timeout=180,
        )
        if seeded.returncode != 0:
            raise AssertionError(seeded.stdout + seeded.stderr)
        admin = f"ready-made of {SEEDED}"
        base = f"/v1/apps/{SEEDED}"
        for collection in ("churches", "members", "ministries", "donations", "gatherings", "service_requests"):
            self.read_at_end(admin, f"{base}/{collection}/aggregate?select=count")
        self.read_at_end("ana", f"{base}/churches?sort=id&limit=3")
        church = {"name": "Bread of Life", "address": ADDRESS}
        path = self.create("ana", f"{base}/churches", church)
        leader = {
            "church": id_of(path),
            "user": self.expected["callers"]["ana"]["uid"],
            "name": "Ana",
            "position": "administrator",
        }
        self.create("ana", f"{base}/leaders", leader)

    def repeat_requests(self) -> None:
        campus = "/v1/apps/campus"
        self.repeatable("rosa", "POST", f"{campus}/programs", {"code": "BSIT", "title": "IT", "college": "CS"})
        term = {
            "name": "Second Semester 2026-2027",
            "school_year": "2026-2027",
            "semester": "second",
            "begins": "2027-01-10",
            "ends": "2027-05-20",
            "enrollment_until": "2027-01-20",
        }
        path = self.create("rosa", f"{campus}/terms", term)
        self.repeatable("feeder", "POST", path + "/open_enrollment", {})
        key = {"name": "made once", "scopes": ["role:registrar"]}
        self.repeatable("operator", "POST", "/v1/admin/tenants/campus/keys", key)
        self.repeatable("newcomer", "POST", f"{campus}/applications", {"wish": "Nursing"})  # Upstream.

    def make_requests(self) -> None:
        """Sends requests that `integreat why` explains later from the transaction log: refusals for different reasons
        and one success."""
        campus = "/v1/apps/campus"
        wrong = '"99"'
        for caller, method, path, body, headers in (
            ("", "GET", f"{campus}/students", None, {}),
            ("maria", "POST", f"{campus}/programs", {"code": "X", "title": "X", "college": "X"}, {}),
            ("carl", "GET", f"{campus}/students", None, {}),  # User of another app.
            ("newcomer", "GET", self.student, None, {}),
            ("maria", "PATCH", self.student, {"mobile": "0918 765 4321"}, {"If_Match": wrong}),
            ("maria", "PATCH", self.student, {"state": "graduated"}, {"If_Match": wrong}),
            ("revoked", "GET", f"{campus}/students", None, {}),
            ("rosa", "POST", self.degree + "/nothing", None, {}),
            ("rosa", "GET", f"{campus}/terms?sort=name", None, {}),
        ):
            response = self.send(caller, method, path, body, **headers)
            self.note_request(response, caller, method, path)

    def note_changes(self) -> None:
        """Notes requests for the test to send: changes of old records, and new records."""
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
