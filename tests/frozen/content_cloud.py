# SPDX-License-Identifier: Apache-2.0
"""Content of the local cloud: objects, buckets, access keys, parameters and mail."""

import hashlib
import json

import harness
from botocore.exceptions import ClientError
from recorder import Recorder

PART_BYTES = 5 * 1024 * 1024  # S3 takes no smaller part, except for the last one.


def numbered_lines(size: int, word: str) -> bytes:
    """Returns text that compresses well although no two of its lines are equal."""
    lines = bytearray()
    number = 0
    while len(lines) < size:
        lines += f"{word} {number:09}\n".encode()
        number += 1
    return bytes(lines[:size])


class Cloud(Recorder):
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
        mine = f"users/{self.clients.send('maria', 'GET', '/v1/apps/campus/me').json()['uid']}/"
        self.put(
            *("maria", bucket, mine + "tala ng ñ – 看護.txt", "Magandang umaga\n".encode()),
            ContentType="text/plain; charset=utf-8",
            Metadata={"owner": "maria"},
        )
        root.put_object(Bucket=bucket, Key="shared/tagged", Body=b"tagged", Tagging="kind=report&year=2026")
        root.put_object_tagging(
            Bucket=bucket, Key="shared/tagged", Tagging={"TagSet": [{"Key": "kind", "Value": "final report"}]}
        )
        self.note_object(bucket, "shared/tagged", b"tagged", ["root"], {})
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
        """Begins an upload of which the test sends the second part and the end."""
        s3 = self.clients.aws("s3", holder)
        body, rest = numbered_lines(PART_BYTES, "pending"), "the rest\n"
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
        """Creates a bucket with versions, settings and an IAM user who may read a part of it."""
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

    def note_denials(self) -> None:
        for denied in self.expected["denied"]:
            which = {"Bucket": denied["bucket"], "Key": denied["key"], "VersionId": denied["version"]}
            try:
                self.clients.aws("s3", denied["holder"]).get_object(**which)
            except ClientError as error:
                denied["code"] = error.response["Error"]["Code"]
            else:
                raise AssertionError(f"{denied} is allowed")
