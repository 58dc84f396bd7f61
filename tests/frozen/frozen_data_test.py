#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A data folder of an older commit opens with this build: each archive beside this file is unpacked, `integreat dev`
starts on it with the repository's apps, and everything in its expected.json is found again through the public
interfaces. Then new content joins the old, and all of it survives a restart.

`--apps FOLDER` takes other manifests: those of its own commit prove an archive with the binary that made it.
"""

import csv
import hashlib
import io
import json
import sys
import tarfile
import unittest
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "support"))
import harness  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402
from clients import Clients  # noqa: E402

# The transaction log of an archive stays for as long as the settings allow: ten years.
SETTINGS = "log: {transaction_retention_days: 3650}\n"
RENAMED_PROBLEMS = {"foreign-tenant": "wrong-tenant", "changed-meanwhile": "version-mismatch"}

# Holders and keys that were open to every user of a tenant before files had owners.
NO_LONGER_OPEN = {("maria", "shared/tagged")}

apps = harness.ROOT / "apps"


def differences(expected, found, place: str = "") -> list[str]:
    """Names what `found` lacks of `expected`; members that a later version adds to an object are none."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            difference
            for name, value in expected.items()
            for difference in differences(value, found.get(name, "nothing"), f"{place}/{name}")
        ]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [
            difference
            for number, value in enumerate(expected)
            for difference in differences(value, found[number], f"{place}/{number}")
        ]
    return [] if expected == found else [f"{place}: {found!r} instead of {expected!r}"]


def slug(response: harness.Response) -> str:
    return response.json()["type"].rpartition("/")[2]


def rows(text: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


class FrozenData(unittest.TestCase):
    """One test per archive: its steps build on each other, so they are not tests of their own."""

    maxDiff = None

    def open(self, archive: Path) -> None:
        self.expected = json.loads(archive.with_name(archive.name.replace(".tar.xz", ".expected.json")).read_text())
        self.program = harness.Program(apps=apps, settings=SETTINGS)
        self.addCleanup(self.program.remove)
        with tarfile.open(archive) as tar:
            tar.extractall(self.program.data)
        self.program.start()
        print(f"\n{archive.name}: ready after {self.program.start_seconds:.1f} s", flush=True)
        self.clients = Clients(self.program, self.expected["callers"], self.expected["aws_keys"])
        self.addCleanup(self.clients.close)
        for check in (
            self.check_accounts,
            self.check_keys,
            self.check_reads,
            self.check_feeds,
            self.check_replays,
            self.check_requests,
            self.check_objects,
            self.check_buckets,
            self.check_parameters_and_mail,
        ):
            with self.subTest(check.__name__):
                check()
        changed = self.make_changes()
        self.clients.close()
        self.assertEqual(self.program.stop(), 0, self.program.log()[-4000:])
        self.program.start()
        for read in changed:
            with self.subTest(after_restart=read["path"]):
                self.check_read(read)
        for read in self.expected["reads"]:
            if read["path"] not in {one["path"] for one in changed} and "?" not in read["path"]:
                with self.subTest(after_restart=read["path"], caller=read["caller"]):
                    self.check_status(read)

    # Comparisons

    def assert_has(self, expected, found, about="") -> None:
        missing = differences(expected, found)
        self.assertEqual(missing, [], f"{about}: {found!r}")

    def assert_problem(self, expected: str, found: str, about="") -> None:
        self.assertIn(found, {expected, RENAMED_PROBLEMS.get(expected)}, about)

    # Local Firebase

    def check_accounts(self) -> None:
        """Projects, API keys, identity pools and buckets are the same, passwords and refresh tokens still good."""
        self.assert_has(self.expected["tenants"], self.program.ready["tenants"], "ready file")
        for tenant in self.expected["tenants"].items():
            app, description = tenant
            for user in description["users"]:
                with self.subTest(user=user["email"]):
                    self.program.sign_in(app, user["email"], user["password"])
        for name, caller in self.expected["callers"].items():
            if "uid" not in caller:
                continue
            with self.subTest(caller=name):
                me = self.clients.send(name, "GET", f"/v1/apps/{caller['app']}/me")
                self.assertEqual(me.status, 200, me.body)
                found = me.json()
                self.assertEqual((found["uid"], found["role"] or ""), (caller["uid"], caller.get("role", "")))
        for kept in self.expected["accounts"]:
            with self.subTest(account=kept["account"]["localId"]):
                found = self.clients.lookup_account(kept["app"], kept["account"]["localId"])
                self.assert_has(kept["account"], found)
        for disabled in self.expected["disabled"]:
            with self.assertRaisesRegex(AssertionError, "USER_DISABLED"):
                self.program.sign_in(disabled["app"], disabled["email"], disabled["password"])

    # API keys

    def check_keys(self) -> None:
        for refused in self.expected["refused_keys"]:
            app = self.expected["callers"][refused["caller"]]["app"]
            response = self.clients.send(refused["caller"], "GET", f"/v1/apps/{app}/me")
            self.assertEqual(response.status, refused["status"], response.body)
            self.assert_problem(refused["problem"], slug(response), refused)
        refused_callers = {refused["caller"] for refused in self.expected["refused_keys"]}
        for name, caller in self.expected["callers"].items():
            if "key" in caller and name not in refused_callers:
                response = self.clients.send(name, "GET", f"/v1/apps/{caller['app']}/me")
                self.assertEqual((response.status, response.json().get("uid")), (200, caller["id"]), response.body)
        for kept in self.expected["listed_keys"]:
            response = self.clients.send("operator", "GET", f"/v1/admin/tenants/{kept['app']}/keys")
            self.assert_has(kept["keys"], response.json()["keys"], kept["app"])

    # Records

    def check_status(self, read: dict):
        response = self.clients.send(read["caller"], "GET", read["path"])
        self.assertEqual(response.status, read["status"], response.body)
        if "problem" in read:
            self.assert_problem(read["problem"], slug(response), read["path"])
        return response

    def check_read(self, read: dict) -> None:
        response = self.check_status(read)
        if "json" in read:
            self.assert_has(read["json"], response.json(), read["path"])
        if "text" in read:
            self.assert_has(rows(read["text"]), rows(response.body.decode()), read["path"])
        self.assertEqual(response.headers["ETag"], read.get("etag"), read["path"])

    def check_reads(self) -> None:
        for read in self.expected["reads"]:
            with self.subTest(caller=read["caller"], path=read["path"]):
                self.check_read(read)
        for page in self.expected["pages"]:
            with self.subTest(page=page["path"]):
                response = self.clients.send(page["caller"], "GET", page["path"])
                self.assertEqual(response.status, 200, response.body)
                self.assertEqual([item["id"] for item in response.json()["items"]], page["ids"])

    def check_feeds(self) -> None:
        """A listener who comes back gets what followed the last event they had, once and in order."""
        for kept in self.expected["feeds"]:
            feed = self.clients.follow(kept["caller"], kept["path"], kept["last_event_id"])
            found: list = []
            while len(found) < len(kept["events"]):
                event = feed.next()
                if "event" in event:
                    found.append([event["event"], event["data"].get("id")])
            feed.close()
            self.assertEqual(found, kept["events"])

    # Idempotency keys

    def check_replays(self) -> None:
        """A repetition gets the first response, also one that an upstream gave which is gone; the same key with
        another body is refused."""
        for kept in self.expected["replays"]:
            with self.subTest(path=kept["path"]):
                again = self.clients.send(
                    kept["caller"], kept["method"], kept["path"], kept["body"].encode(), kept["headers"]
                )
                self.assertEqual(again.status, kept["status"], again.body)
                self.assertEqual(again.headers["Idempotent-Replayed"], "true")
                self.assertEqual(again.body.decode(), kept["response"])
                body = json.dumps({**json.loads(kept["body"]), "name": "another"}).encode()
                other = self.clients.send(kept["caller"], kept["method"], kept["path"], body, kept["headers"])
                self.assertEqual((other.status, slug(other)), (422, "idempotency-key-reused"), other.body)

    # Transaction log

    def check_requests(self) -> None:
        """`integreat why` tells of requests that an earlier process decided."""
        for kept in self.expected["requests"]:
            with self.subTest(request=kept["id"], problem=kept["problem"]):
                why = self.program.cli("why", kept["id"], "--data", str(self.program.data_folder))
                self.assertEqual(why.returncode, 0, why.stdout + why.stderr)
                self.assertIn(f"{kept['method']} {kept['path']}", why.stdout)
                self.assertIn(f" {kept['status']} ", why.stdout)
                response = self.clients.send("operator", "GET", f"/v1/admin/decisions/{kept['id']}")
                self.assertEqual(response.status, 200, response.body)
                self.assert_has(kept["decision"], response.json(), kept["id"])
                self.assert_problem(kept["problem"], response.json()["type"], kept["id"])

    # Local cloud

    def check_objects(self) -> None:
        for kept in self.expected["identities"]:
            self.assertEqual(self.clients.identity(kept["caller"])[0], kept["identity"])
        for kept in self.expected["objects"]:
            which = {"Bucket": kept["bucket"], "Key": kept["key"]}
            which |= {"VersionId": kept["version"]} if kept["version"] else {}
            for holder in kept["readers"]:
                with self.subTest(key=kept["key"], version=kept["version"], holder=holder):
                    if (holder, kept["key"]) in NO_LONGER_OPEN:
                        with self.assertRaises(ClientError) as caught:
                            self.clients.aws("s3", holder).get_object(**which)
                        self.assertEqual(caught.exception.response["Error"]["Code"], "AccessDenied")
                        continue
                    got = self.clients.aws("s3", holder).get_object(**which)
                    body = got["Body"].read()
                    self.assertEqual((len(body), hashlib.sha256(body).hexdigest()), (kept["bytes"], kept["sha256"]))
                    self.assertEqual(got["ETag"], kept["etag"])
                    self.assertEqual((got["ContentType"], got["Metadata"]), (kept["type"], kept["metadata"]))
                    self.assertEqual(got["LastModified"].isoformat(), kept["modified"])
            tags = self.clients.aws("s3", "root").get_object_tagging(**which)["TagSet"]
            self.assertEqual(tags, kept["tags"], kept["key"])
        for denied in self.expected["denied"]:
            with self.assertRaises(ClientError) as caught:
                self.clients.aws("s3", denied["holder"]).get_object(
                    Bucket=denied["bucket"], Key=denied["key"], VersionId=denied["version"]
                )
            self.assertEqual(caught.exception.response["Error"]["Code"], denied["code"])
        for upload in self.expected["pending_uploads"]:
            self.finish_upload(upload)

    def finish_upload(self, upload: dict) -> None:
        s3 = self.clients.aws("s3", upload["holder"])
        which = {"Bucket": upload["bucket"], "Key": upload["key"]}
        part = s3.upload_part(**which, UploadId=upload["upload"], PartNumber=2, Body=upload["rest"].encode())
        parts = [{"PartNumber": 1, "ETag": upload["etag"]}, {"PartNumber": 2, "ETag": part["ETag"]}]
        s3.complete_multipart_upload(**which, UploadId=upload["upload"], MultipartUpload={"Parts": parts})
        body = s3.get_object(**which)["Body"].read()
        self.assertEqual(hashlib.sha256(body).hexdigest(), upload["sha256"])

    def check_buckets(self) -> None:
        root = self.clients.aws("s3", "root")
        names = {bucket["Name"] for bucket in root.list_buckets()["Buckets"]}
        for tenant in self.expected["tenants"].values():
            self.assertIn(tenant["bucket"], names)
        for kept in self.expected["buckets"]:
            bucket = kept["bucket"]
            self.assertEqual(root.get_bucket_versioning(Bucket=bucket)["Status"], kept["versioning"])
            self.assertEqual(root.get_bucket_cors(Bucket=bucket)["CORSRules"], kept["cors"])
            self.assertEqual(root.get_bucket_tagging(Bucket=bucket)["TagSet"], kept["tags"])
            self.assertEqual(json.loads(root.get_bucket_policy(Bucket=bucket)["Policy"]), kept["policy"])
            versions = root.list_object_versions(Bucket=bucket)
            for name, listed in (("versions", "Versions"), ("delete_markers", "DeleteMarkers")):
                found = [[one["Key"], one["VersionId"]] for one in versions[listed]]
                self.assertEqual(found, kept[name], listed)

    def check_parameters_and_mail(self) -> None:
        ssm, ses = self.clients.aws("ssm", "root"), self.clients.aws("sesv2", "root")
        for kept in self.expected["parameters"]:
            found = ssm.get_parameter(Name=kept["name"], WithDecryption=True)["Parameter"]
            found = (found["Value"], found["Type"], found["Version"])
            self.assertEqual(found, (kept["value"], kept["type"], kept["version"]), kept["name"])
        mail = self.expected["mail"]
        for name in mail["identities"]:
            self.assertTrue(ses.get_email_identity(EmailIdentity=name)["VerifiedForSendingStatus"], name)
        for name, template in mail["templates"].items():
            self.assert_has(template, ses.get_email_template(TemplateName=name)["TemplateContent"], name)
        for address in mail["suppressed"]:
            found = ses.get_suppressed_destination(EmailAddress=address)["SuppressedDestination"]
            self.assertEqual(found["EmailAddress"], address)
        outbox = harness.call(self.program.ready["aws"], "GET", "/_integreat/outbox").json()
        self.assert_has(mail["outbox"], outbox["mails"], "outbox")

    # New content

    def make_changes(self) -> list[dict]:
        """Changes old records, adds new ones, and adds something to each other store; returns the records as they
        are read afterwards."""
        changed = []
        for change in self.expected["changes"]:
            headers = {"If-Match": f'"{change["if_match"]}"'} if "if_match" in change else {}
            response = self.clients.send(change["caller"], change["method"], change["path"], change["body"], headers)
            about = f"{change['method']} {change['path']}: {response.body!r}"
            self.assertIn(response.status, (200, 201), about)
            record = response.json()
            if "if_match" in change:
                self.assertEqual(record["version"], change["if_match"] + 1, about)
            path = change["path"]
            if change["method"] == "POST":  # To a collection, or a transition of a record.
                path = f"{path}/{record['id']}" if response.status == 201 else path.rpartition("/")[0]
            read = {"caller": change["caller"], "path": path, "status": 200, "json": record}
            read["etag"] = f'"{record["version"]}"'
            self.check_read(read)
            changed.append(read)
        self.check_history_grows(changed)
        self.add_elsewhere()
        return changed

    def check_history_grows(self, changed: list[dict]) -> None:
        for read in self.expected["reads"]:
            record = read["path"].removesuffix("/history")
            newer = [one for one in changed if one["path"] == record != read["path"]]
            if newer and "json" in read:
                found = self.clients.send(read["caller"], "GET", read["path"]).json()["items"]
                old = read["json"]["items"]
                self.assertEqual(len(found), len(old) + len(newer), read["path"])
                self.assert_has(old, found[len(newer) :], read["path"])

    def add_elsewhere(self) -> None:
        """A user, an API key, an object and a version of a parameter; each is used."""
        app = "campus"
        key = self.clients.send("operator", "POST", f"/v1/admin/tenants/{app}/keys", {"name": "new", "scopes": []})
        self.assertEqual(key.status, 201, key.body)
        me = self.program.call("GET", f"/v1/apps/{app}/me", token=key.json()["key"])
        self.assertEqual((me.status, me.json()["uid"]), (200, key.json()["id"]), me.body)
        email, password = "bago@campus.test", "isang bagong lihim"
        added = self.program.cli(
            *("user", "add", "--app", app, "--email", email, "--password", password, "--role", "student"),
            *("--data", str(self.program.data_folder), *self.program.config_options),
        )
        self.assertEqual(added.returncode, 0, added.stdout + added.stderr)
        self.program.sign_in(app, email, password)
        holder = self.expected["identities"][0]
        s3 = self.clients.aws("s3", holder["caller"])
        bucket = self.expected["tenants"][self.expected["callers"][holder["caller"]]["app"]]["bucket"]
        which = {"Bucket": bucket, "Key": f"users/{holder['identity']}/new"}
        s3.put_object(**which, Body=b"new")
        self.assertEqual(s3.get_object(**which)["Body"].read(), b"new")
        ssm = self.clients.aws("ssm", "root")
        parameter = self.expected["parameters"][-1]
        put = ssm.put_parameter(Name=parameter["name"], Value="new", Type=parameter["type"], Overwrite=True)
        self.assertEqual(put["Version"], parameter["version"] + 1)


def add_tests() -> None:
    archives = sorted(FOLDER.glob("*.tar.xz"))
    if not archives:
        sys.exit(f"no archive in {FOLDER}")
    for archive in archives:
        name = archive.name.removesuffix(".tar.xz")
        setattr(FrozenData, f"test_data_of_{name}_are_found_again", lambda self, archive=archive: self.open(archive))


if __name__ == "__main__":
    if "--apps" in sys.argv:
        at = sys.argv.index("--apps")
        apps = Path(sys.argv[at + 1]).resolve()
        del sys.argv[at : at + 2]
    add_tests()
    harness.main()
