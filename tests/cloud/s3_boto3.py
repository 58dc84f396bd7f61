# SPDX-License-Identifier: Apache-2.0
"""Calls the local S3 at the URL in the first argument with unmodified boto3. Run by s3_tools_test.py."""

import io
import os
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.client import Config
from botocore.exceptions import ClientError

MIB = 1024 * 1024
client = boto3.client(
    "s3",
    endpoint_url=sys.argv[1],
    region_name="us-east-1",
    aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
    aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    config=Config(signature_version="s3v4"),
)
bucket = "boto-bucket"


def expect(actual, expected) -> None:
    if actual != expected:
        sys.exit(f"expected {expected!r}, got {actual!r}")


def error_code(call, **arguments) -> str:
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "no error"


client.create_bucket(Bucket=bucket)
client.put_object(Bucket=bucket, Key="a b/é", Body=b"text", Metadata={"a": "1"}, Tagging="t=1")
got = client.get_object(Bucket=bucket, Key="a b/é")
expect((got["Body"].read(), got["Metadata"], got["TagCount"]), (b"text", {"a": "1"}, 1))
expect(client.get_object_tagging(Bucket=bucket, Key="a b/é")["TagSet"], [{"Key": "t", "Value": "1"}])

large = os.urandom(18 * MIB)
config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
client.upload_fileobj(io.BytesIO(large), bucket, "large", Config=config)
expect(client.head_object(Bucket=bucket, Key="large")["ETag"][-3:], '-4"')
back = io.BytesIO()
client.download_fileobj(bucket, "large", back, Config=config)
expect(back.getvalue() == large, True)
client.copy({"Bucket": bucket, "Key": "large"}, bucket, "copied", Config=config)
expect(client.get_object(Bucket=bucket, Key="copied")["Body"].read() == large, True)

pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
expect([one["Key"] for page in pages for one in page["Contents"]], ["a b/é", "copied", "large"])

expect(error_code(client.get_object, Bucket=bucket, Key="none"), "NoSuchKey")
expect(error_code(client.get_object, Bucket="no-such-bucket", Key="none"), "NoSuchBucket")
expect(error_code(client.get_bucket_cors, Bucket=bucket), "NoSuchCORSConfiguration")
expect(error_code(client.delete_bucket, Bucket=bucket), "BucketNotEmpty")
rules = [{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 5}]
client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
expect(client.get_bucket_cors(Bucket=bucket)["CORSRules"], rules)
client.put_bucket_lifecycle_configuration(
    Bucket=bucket,
    LifecycleConfiguration={
        "Rules": [{"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "x"}, "Expiration": {"Days": 1}}]
    },
)
expect(client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]["Expiration"]["Days"], 1)
client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
client.delete_object(Bucket=bucket, Key="large")
versions = client.list_object_versions(Bucket=bucket, Prefix="large")
expect((len(versions["Versions"]), len(versions["DeleteMarkers"])), (1, 1))
for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}):
    objects = [
        {"Key": one["Key"], "VersionId": one["VersionId"]}
        for one in page.get("Versions", []) + page.get("DeleteMarkers", [])
    ]
    expect("Errors" in client.delete_objects(Bucket=bucket, Delete={"Objects": objects}), False)
client.delete_bucket(Bucket=bucket)
expect(client.list_buckets()["Buckets"], [])
