#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The local cloud alone with unmodified clients (AWS CLI and boto3 of Debian, curl): requests that succeed, and
requests that are refused with the errors of AWS."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import debian  # noqa: E402
import harness  # noqa: E402

PROJECT = "campus-student-lifecycle"
BUCKET = f"{PROJECT}-tenant-bucket"
START_MS, IDLE_KIB = 150, 30 * 1024  # The targets of the release build.
MISMATCH = "The request signature we calculated does not match the signature you provided."


class Cloud:
    """`integreat cloud` with its own data folder."""

    def __init__(self, *arguments: str):
        self.folder = harness.make_folder()
        self.arguments = arguments
        self.start()

    def start(self):
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        self.log_path = self.folder / "log"
        command = [str(harness.program_path()), "cloud", "--data", str(self.folder / "data"), "--port", "0"]
        command += ["--ready-file", str(ready), "--project", PROJECT, *self.arguments]
        began = time.monotonic()
        with self.log_path.open("a") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        harness.kill_at_exit(self.process)
        harness.wait_until(ready.exists, harness.START_TIMEOUT_SECONDS, "the local cloud is ready", every=0.002)
        self.start_ms = (time.monotonic() - began) * 1000
        self.ready = json.loads(ready.read_text())
        self.url = self.ready["aws"]

    def end(self, signal_number=signal.SIGTERM) -> int:
        self.process.send_signal(signal_number)
        return self.process.wait(timeout=30)

    def log(self) -> str:
        return self.log_path.read_text()

    def environment(self) -> dict[str, str]:
        others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return others | {
            "AWS_SHARED_CREDENTIALS_FILE": self.ready["credentials"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_PAGER": "",
        }

    def aws(self, *arguments: str) -> subprocess.CompletedProcess:
        command = [debian.AWS, "--endpoint-url", self.url, *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, env=self.environment(), check=False
        )

    def root_keys(self) -> dict[str, str]:
        lines = Path(self.ready["credentials"]).read_text().splitlines()
        pairs = dict(line.split(" = ") for line in lines if " = " in line)
        return {
            "aws_access_key_id": pairs["aws_access_key_id"],
            "aws_secret_access_key": pairs["aws_secret_access_key"],
        }

    def client(self, service: str, keys: dict | None = None, **options):
        config = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, signature_version=options.pop("sign", None))
        return boto3.client(
            service, region_name="us-east-1", endpoint_url=self.url, config=config, **(keys or self.root_keys()), **options
        )


def session_keys(credentials: dict) -> dict[str, str]:
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def policy(effect: str, action: str, resource: str) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource}]}
    )


class RealClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cloud = Cloud()

    @classmethod
    def tearDownClass(cls):
        cls.cloud.end()
        shutil.rmtree(cls.cloud.folder)

    def expect_error(self, call, code: str, message: str = ""):
        with self.assertRaises(ClientError) as caught:
            call()
        error = caught.exception.response["Error"]
        self.assertEqual(error["Code"], code, error)
        if message:
            self.assertIn(message, error["Message"])
        return caught.exception.response

    def aws(self, *arguments: str) -> dict:
        done = self.cloud.aws(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip().startswith("{") else {}

    def create_user(self, name: str, document: str) -> dict[str, str]:
        iam = self.cloud.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="P", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}

    def test_the_aws_cli_manages_identities_and_objects(self):
        self.assertEqual(self.aws("sts", "get-caller-identity")["Arn"], "arn:aws:iam::000000000000:root")
        self.aws("iam", "create-user", "--user-name", "cli")
        listed = self.aws("iam", "list-users")["Users"]
        self.assertIn("cli", [user["UserName"] for user in listed])
        file = self.cloud.folder / "file"
        file.write_bytes(os.urandom(9_000_000))  # Several parts.
        self.aws("s3", "cp", "--quiet", str(file), f"s3://{BUCKET}/cli/file")
        self.aws("s3", "cp", "--quiet", f"s3://{BUCKET}/cli/file", str(self.cloud.folder / "back"))
        self.assertEqual(file.read_bytes(), (self.cloud.folder / "back").read_bytes())
        self.aws("s3", "rm", "--quiet", f"s3://{BUCKET}/cli/file")
        unknown = self.cloud.aws("dynamodb", "list-tables")
        self.assertIn("UnknownOperationException", unknown.stderr)
        self.assertIn("It offers: cognito-identity, sts, iam, s3, ses, ssm", unknown.stderr)

    def test_the_aws_cli_gets_credentials_from_an_identity_pool(self):
        pool = self.aws(
            "cognito-identity", "create-identity-pool", "--identity-pool-name", "guests",
            "--allow-unauthenticated-identities",
        )["IdentityPoolId"]
        listed = self.aws("cognito-identity", "list-identity-pools", "--max-results", "60")["IdentityPools"]
        self.assertIn("guests", [one["IdentityPoolName"] for one in listed])
        trust = {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Condition": {"StringEquals": {"cognito-identity.amazonaws.com:aud": pool}},
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = self.aws("iam", "create-role", "--role-name", "guest", "--assume-role-policy-document", document)
        self.aws(
            "cognito-identity", "set-identity-pool-roles", "--identity-pool-id", pool,
            "--roles", "unauthenticated=" + role["Role"]["Arn"],
        )
        identity = self.aws("cognito-identity", "get-id", "--identity-pool-id", pool)["IdentityId"]
        credentials = self.aws("cognito-identity", "get-credentials-for-identity", "--identity-id", identity)["Credentials"]
        keys = session_keys({**credentials, "SecretAccessKey": credentials["SecretKey"]})
        self.assertEqual(
            self.cloud.client("sts", keys).get_caller_identity()["Arn"],
            "arn:aws:sts::000000000000:assumed-role/guest/CognitoIdentityCredentials",
        )
        tenant_pool = self.cloud.ready["tenants"][PROJECT]["identity_pool"]
        refused = self.cloud.aws("cognito-identity", "get-id", "--identity-pool-id", tenant_pool)
        self.assertIn(
            "(NotAuthorizedException) when calling the GetId operation: "
            "Unauthenticated access is not supported for this identity pool.",
            refused.stderr,
        )

    def test_iam_explain_names_the_deciding_statement(self):
        document = {
            "Version": "2012-10-17",
            "Statement": [
                {"Sid": "Reads", "Effect": "Allow", "Action": "s3:Get*", "Resource": "*"},
                {"Sid": "NoSecrets", "Effect": "Deny", "Action": "s3:*", "Resource": f"arn:aws:s3:::{BUCKET}/secret/*"},
            ],
        }
        self.create_user("explained", json.dumps(document))

        def explain(action: str, resource: str, user: str = "explained") -> subprocess.CompletedProcess:
            command = [str(harness.program_path()), "iam", "explain", "--aws", self.cloud.url]
            command += [f"arn:aws:iam::000000000000:user/{user}", action, f"arn:aws:s3:::{BUCKET}/{resource}"]
            return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

        allowed = explain("s3:GetObject", "open")
        self.assertEqual(allowed.returncode, 0, allowed.stderr)
        self.assertIn("Reads", allowed.stdout)
        denied = explain("s3:GetObject", "secret/plan")
        self.assertEqual(denied.returncode, 1)
        self.assertIn("NoSecrets", denied.stdout)
        nothing = explain("s3:PutObject", "open")
        self.assertEqual(nothing.returncode, 1)
        self.assertIn("no identity-based policy", nothing.stdout)
        unknown = explain("s3:GetObject", "open", "unknown")
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("cannot be found", unknown.stderr)

    def test_the_tools_are_those_of_debian(self):
        version = self.cloud.aws("--version")
        self.assertTrue(version.stdout.startswith("aws-cli/2.9"), version.stdout)
        self.assertTrue(boto3.__file__.startswith("/usr/lib/python3/"), boto3.__file__)

    def test_curl_signs_requests(self):
        keys = self.cloud.root_keys()
        user = f"{keys['aws_access_key_id']}:{keys['aws_secret_access_key']}"
        command = ["curl", "-sS", "--aws-sigv4", "aws:amz:us-east-1:sts", "--user", user]
        command += ["-d", "Action=GetCallerIdentity&Version=2011-06-15", self.cloud.url + "/"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        self.assertIn("<Arn>arn:aws:iam::000000000000:root</Arn>", done.stdout)

    def test_a_role_is_assumed_only_by_trusted_users_and_restricted_by_a_session_policy(self):
        iam = self.cloud.client("iam")
        keys = self.create_user("trusted", policy("Allow", "sts:*", "*"))
        untrusted = self.create_user("untrusted", policy("Allow", "sts:*", "*"))
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"AWS": "arn:aws:iam::000000000000:user/trusted"},
                }
            ],
        }
        iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName="reader", PolicyName="P", PolicyDocument=policy("Allow", "s3:*", "*"))
        arn = "arn:aws:iam::000000000000:role/reader"
        sts = self.cloud.client("sts", keys)
        self.expect_error(
            lambda: self.cloud.client("sts", untrusted).assume_role(RoleArn=arn, RoleSessionName="s1"),
            "AccessDenied",
            "User: arn:aws:iam::000000000000:user/untrusted is not authorized to perform: sts:AssumeRole on resource: "
            + arn,
        )
        unrestricted = session_keys(sts.assume_role(RoleArn=arn, RoleSessionName="s1")["Credentials"])
        restricted = session_keys(
            sts.assume_role(
                RoleArn=arn, RoleSessionName="s2", Policy=policy("Allow", "s3:ListBucket", "*")
            )["Credentials"]
        )
        self.cloud.client("s3", unrestricted).put_object(Bucket=BUCKET, Key="role/a", Body=b"a")
        self.cloud.client("s3", restricted).list_objects_v2(Bucket=BUCKET)
        self.expect_error(
            lambda: self.cloud.client("s3", restricted).get_object(Bucket=BUCKET, Key="role/a"),
            "AccessDenied",
            "because no session policy allows the s3:GetObject action",
        )
        session_arn = self.cloud.client("sts", unrestricted).get_caller_identity()["Arn"]
        self.assertEqual(session_arn, "arn:aws:sts::000000000000:assumed-role/reader/s1")
        changed = dict(unrestricted, aws_session_token=unrestricted["aws_session_token"][:-8] + "AAAAAAA=")
        self.expect_error(lambda: self.cloud.client("s3", changed).list_buckets(), "InvalidToken")
        self.expect_error(lambda: self.cloud.client("sts", changed).get_caller_identity(), "InvalidClientTokenId")

    def test_an_explicit_deny_wins_and_conditions_on_absent_keys_match_aws(self):
        document = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
                {"Sid": "NoSecrets", "Effect": "Deny", "Action": "s3:*", "Resource": f"arn:aws:s3:::{BUCKET}/secret/*"},
                {
                    "Sid": "OnlyBlue",
                    "Effect": "Deny",
                    "Action": "s3:DeleteObject",
                    "Resource": "*",
                    "Condition": {"StringNotEquals": {"aws:PrincipalTag/team": "blue"}},
                },
            ],
        }
        s3 = self.cloud.client("s3", self.create_user("limited", json.dumps(document)))
        s3.put_object(Bucket=BUCKET, Key="open/a", Body=b"a")
        response = self.expect_error(
            lambda: s3.get_object(Bucket=BUCKET, Key="secret/a"),
            "AccessDenied",
            f'is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::{BUCKET}/secret/a" with an explicit '
            "deny in an identity-based policy",
        )
        # StringNotEquals holds where the key is absent: the Deny applies.
        self.expect_error(lambda: s3.delete_object(Bucket=BUCKET, Key="open/a"), "AccessDenied", "explicit deny")

        decision = harness.call(
            self.cloud.url, "GET", "/_integreat/decisions/" + response["ResponseMetadata"]["RequestId"]
        ).json()
        self.assertIn("NoSecrets", decision["explanation"])

    def test_a_presigned_url_edited_in_any_part_is_refused(self):
        s3 = self.cloud.client("s3", sign="s3v4")
        s3.put_object(Bucket=BUCKET, Key="presigned", Body=b"content")
        url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "presigned"}, ExpiresIn=300)
        target = url.removeprefix(self.cloud.url)
        self.assertEqual(harness.call(self.cloud.url, "GET", target).body, b"content")
        edits = {
            "/presigned?": "/presigned2?",
            "X-Amz-Expires=300": "X-Amz-Expires=301",
            "us-east-1": "us-east-2",
            "AKIA": "AKIB",
            "host": "host%3Brange",
            "X-Amz-Signature=": "X-Amz-Signature=0",
            "X-Amz-Algorithm=AWS4": "X-Amz-Algorithm=AWS5",
            "X-Amz-Date=2": "X-Amz-Date=1",
        }
        codes = {}
        for old, new in edits.items():
            self.assertIn(old, target)
            response = harness.call(self.cloud.url, "GET", target.replace(old, new, 1))
            self.assertIn(response.status, (400, 403), old)
            codes[old] = response.body.decode().split("<Code>")[1].split("</Code>")[0]
        self.assertEqual(codes["/presigned?"], "SignatureDoesNotMatch")
        self.assertEqual(codes["X-Amz-Expires=300"], "SignatureDoesNotMatch")
        self.assertEqual(codes["AKIA"], "InvalidAccessKeyId")
        self.assertEqual(codes["us-east-1"], "AuthorizationQueryParametersError")
        response = harness.call(self.cloud.url, "PUT", target, body=b"x")
        self.assertIn("SignatureDoesNotMatch", response.body.decode())

    def test_wrong_secrets_and_unknown_keys_get_the_errors_of_aws(self):
        wrong = dict(self.cloud.root_keys(), aws_secret_access_key="wrong")
        self.expect_error(lambda: self.cloud.client("s3", wrong).list_buckets(), "SignatureDoesNotMatch", MISMATCH)
        self.expect_error(lambda: self.cloud.client("sts", wrong).get_caller_identity(), "SignatureDoesNotMatch", MISMATCH)
        self.expect_error(lambda: self.cloud.client("ssm", wrong).get_parameter(Name="a"), "InvalidSignatureException")
        self.expect_error(
            lambda: self.cloud.client("sesv2", wrong).list_email_identities(), "InvalidSignatureException"
        )
        unknown = dict(wrong, aws_access_key_id="AKIAAAAAAAAAAAAAAAAA")
        self.expect_error(
            lambda: self.cloud.client("s3", unknown).list_buckets(),
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        )
        self.expect_error(
            lambda: self.cloud.client("iam", unknown).list_users(),
            "InvalidClientTokenId",
            "The security token included in the request is invalid",
        )

    def test_mail_is_stored_in_the_outbox_and_needs_a_verified_sender(self):
        ses = self.cloud.client("sesv2")
        simple = {"Simple": {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "text é"}}}}
        send = {"Destination": {"ToAddresses": ["to@example.com"]}, "Content": simple}
        self.expect_error(
            lambda: ses.send_email(FromEmailAddress="no@example.org", **send),
            "MessageRejected",
            "Email address is not verified.",
        )
        ses.create_email_identity(EmailIdentity="example.com")
        sent = ses.send_email(FromEmailAddress="Ann <ann@example.com>", **send)
        raw = b"From: ann@example.com\r\nTo: a@x.example,\r\n b@x.example\r\nSubject: Raw\r\n\r\nbody"
        ses.send_email(Content={"Raw": {"Data": raw}})
        ses.create_email_template(TemplateName="t", TemplateContent={"Subject": "Hello {{name}}", "Text": "{{name}}!"})
        ses.send_email(
            FromEmailAddress="ann@example.com",
            Destination={"ToAddresses": ["to@example.com"]},
            Content={"Template": {"TemplateName": "t", "TemplateData": '{"name":"Bob"}'}},
        )
        mails = harness.call(self.cloud.url, "GET", "/_integreat/outbox").json()["mails"]
        self.assertEqual([mail["Subject"].strip() for mail in mails], ["Hello Bob", "Raw", "Hi"])
        self.assertEqual(mails[1]["Recipients"], ["a@x.example", "b@x.example"])
        self.assertEqual(mails[2]["MessageId"], sent["MessageId"])

    def test_parameters_are_stored_and_secure_ones_encrypted(self):
        ssm = self.cloud.client("ssm")
        ssm.put_parameter(Name="/integreat/key", Value="s3cret-value", Type="SecureString")
        self.assertEqual(ssm.get_parameter(Name="/integreat/key", WithDecryption=True)["Parameter"]["Value"], "s3cret-value")
        self.expect_error(lambda: ssm.put_parameter(Name="/integreat/key", Value="x"), "ParameterAlreadyExists")
        self.expect_error(lambda: ssm.get_parameter(Name="/none"), "ParameterNotFound")
        stored = b"".join(file.read_bytes() for file in (self.cloud.folder / "data" / "cloud").glob("cloud.sqlite*"))
        self.assertIn(b"/integreat/key", stored)
        self.assertNotIn(b"s3cret-value", stored)

    def test_acknowledged_changes_survive_a_kill(self):
        keys = self.create_user("survivor", policy("Allow", "s3:ListAllMyBuckets", "*"))
        self.cloud.end(signal.SIGKILL)
        self.cloud.start()
        self.cloud.client("s3", keys).list_buckets()

    def test_starts_quickly_and_needs_little_memory(self):
        self.cloud.end()
        self.cloud.start()
        kib = harness.resident_kib(self.cloud.process.pid)
        print(f"\nstart {self.cloud.start_ms:.0f} ms (target {START_MS}), idle {kib / 1024:.1f} MiB (target 30)")
        if harness.is_release():
            self.assertLess(self.cloud.start_ms, START_MS * 3)  # The machine may be busy.
            self.assertLess(kib, IDLE_KIB)


class Enforcement(unittest.TestCase):
    def test_is_disabled_only_by_its_flag_and_a_warning_is_logged(self):
        typo = subprocess.run(
            [str(harness.program_path()), "cloud", "--without-enforcment"],
            capture_output=True, text=True, timeout=30, check=False,
        )
        self.assertEqual(typo.returncode, 2)
        cloud = Cloud("--without-enforcement")
        try:
            self.assertIn("WITHOUT ENFORCEMENT", cloud.log())
            wrong = dict(cloud.root_keys(), aws_secret_access_key="wrong")
            cloud.client("s3", wrong).list_buckets()
        finally:
            cloud.end()
            shutil.rmtree(cloud.folder)


if __name__ == "__main__":
    harness.main(measures=True)
