// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text/ascii.h"
#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace integreat::s3 {

namespace {

bool is_ip_address(std::string_view name) {
    return std::count(name.begin(), name.end(), '.') == 3 &&
           std::all_of(name.begin(), name.end(), [](char c) { return c == '.' || is_digit(c); });
}

// Checks the naming rules: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
bool is_valid_bucket_name(std::string_view name) {
    auto letter_or_digit = [](char c) { return is_lower(c) || is_digit(c); };
    if (name.size() < 3 || name.size() > 63) return false;
    if (!letter_or_digit(name.front()) || !letter_or_digit(name.back())) return false;
    for (char c : name) {
        if (!letter_or_digit(c) && c != '-' && c != '.') return false;
    }
    return name.find("..") == std::string_view::npos && !is_ip_address(name) && !name.starts_with("xn--") &&
           !name.ends_with("-s3alias");
}

AwsError illegal_location(std::string_view constraint) {
    return {.status = 400,
            .code = "IllegalLocationConstraintException",
            .message = "The " + std::string(constraint) +
                       " location constraint is incompatible for the region specific endpoint this request "
                       "was sent to."};
}

// Checks LocationConstraint. us-east-1 is the only region that must not be named on creation.
AwsResult<> check_location(const S3& s3, std::string_view body) {
    std::string constraint;
    if (!body.empty()) {
        auto root = TRY(parse_xml(body, "CreateBucketConfiguration"));
        constraint = root.value("LocationConstraint");
    }
    if (s3.region == "us-east-1") {
        if (constraint == "us-east-1") {
            return AwsError{.status = 400,
                            .code = "InvalidLocationConstraint",
                            .message = "The specified location-constraint is not valid",
                            .details = {{"LocationConstraint", constraint}}};
        }
        if (!constraint.empty()) return illegal_location(constraint);
    } else if (constraint != s3.region) {
        return illegal_location(constraint.empty() ? "unspecified" : constraint);
    }
    return {};
}

}  // namespace

std::string owner_id(const S3& s3) {
    return crypto::hex_encode(crypto::as_view(crypto::sha256("canonical user of account " + s3.account)));
}

void write_owner(XmlWriter& xml, std::string_view element, const S3& s3) {
    xml.open(element);
    xml.value("ID", owner_id(s3));
    xml.close();
}

AwsResult<http::Response> list_all_buckets(S3& s3, OperationContext& context) {
    TRY(authorize(context, {}, {.action = "s3:ListAllMyBuckets", .resource = "arn:aws:s3:::*"}));
    auto buckets = TRY(to_aws_result(list_buckets(*s3.storage)));
    auto prefix = context.parameter("prefix").value_or("");
    XmlWriter xml("ListAllMyBucketsResult");
    write_owner(xml, "Owner", s3);
    xml.open("Buckets");
    for (const auto& bucket : buckets) {
        if (!bucket.name.starts_with(prefix)) continue;
        xml.open("Bucket");
        xml.value("Name", bucket.name);
        xml.value("CreationDate", format_iso_time(bucket.created));
        xml.value("BucketRegion", bucket.region);
        xml.close();
    }
    return xml_response(std::move(xml));
}

AwsResult<http::Response> create_bucket(S3& s3, OperationContext& context) {
    const auto& name = context.bucket;
    if (!is_valid_bucket_name(name)) {
        return AwsError{.status = 400,
                        .code = "InvalidBucketName",
                        .message = "The specified bucket is not valid.",
                        .details = {{"BucketName", name}}};
    }
    auto existing = TRY(to_aws_result(find_bucket(*s3.storage, name)));
    TRY(authorize(context, existing ? *existing : Bucket{},
                  {.action = "s3:CreateBucket", .resource = bucket_arn(name)}));
    TRY(reject_unsupported_headers(context.request.headers));
    if (context.request.headers.value("x-amz-bucket-object-lock-enabled") == "true")
        return not_implemented("object lock");
    TRY(check_location(s3, context.body));
    if (existing && s3.region != "us-east-1") {
        return AwsError{.status = 409,
                        .code = "BucketAlreadyOwnedByYou",
                        .message =
                            "Your previous request to create the named bucket succeeded and you "
                            "already own it.",
                        .details = {{"BucketName", name}}};
    }
    if (!existing) {
        if (TRY(to_aws_result(list_buckets(*s3.storage))).size() >= buckets_max) {
            return AwsError{.status = 400,
                            .code = "TooManyBuckets",
                            .message = "You have attempted to create more buckets than allowed"};
        }
        auto rows = [&](WriteBatch& writes) -> AwsResult<> {
            if (TRY(to_aws_result(find_bucket(writes.transaction, name)))) return {};
            TRY(to_aws_result(insert_bucket(
                writes, {.name = name, .region = s3.region, .created = s3.storage->clock.now()})));
            return {};
        };
        TRY(run_write_transaction(s3, rows));
    }
    http::Headers headers;
    headers.set("Location", "/" + name);
    return empty_response(200, std::move(headers));
}

AwsResult<http::Response> delete_empty_bucket(S3& s3, OperationContext& context) {
    auto bucket = TRY(authorized_bucket(s3, context, "s3:DeleteBucket"));
    auto rows = [&](WriteBatch& writes) -> AwsResult<> {
        auto deleted = delete_bucket(writes, bucket->id);
        if (deleted) return {};
        if (deleted.error().fault != Fault::conflict) return to_aws_error(deleted.error());
        return AwsError{.status = 409,
                        .code = "BucketNotEmpty",
                        .message = "The bucket you tried to delete is not empty",
                        .details = {{"BucketName", bucket->name}}};
    };
    TRY(update_bucket(s3, *bucket, rows));
    return empty_response(204);
}

AwsResult<http::Response> head_bucket(S3& s3, OperationContext& context) {
    auto bucket = TRY(authorized_bucket(s3, context, "s3:ListBucket"));
    http::Headers headers;
    headers.set("x-amz-bucket-region", bucket->region);
    headers.set("x-amz-access-point-alias", "false");
    return empty_response(200, std::move(headers));
}

AwsResult<http::Response> get_location(S3& s3, OperationContext& context) {
    auto bucket = TRY(authorized_bucket(s3, context, "s3:GetBucketLocation"));
    XmlWriter xml("LocationConstraint");
    if (bucket->region != "us-east-1") xml.raw(bucket->region);
    return xml_response(std::move(xml));
}

AwsResult<http::Response> get_versioning(S3& s3, OperationContext& context) {
    auto bucket = TRY(authorized_bucket(s3, context, "s3:GetBucketVersioning"));
    XmlWriter xml("VersioningConfiguration");
    if (bucket->versioning != Versioning::never)
        xml.value("Status", bucket->versioning == Versioning::enabled ? "Enabled" : "Suspended");
    return xml_response(std::move(xml));
}

AwsResult<http::Response> put_versioning(S3& s3, OperationContext& context) {
    auto bucket = TRY(authorized_bucket(s3, context, "s3:PutBucketVersioning"));
    auto declared = TRY(parse_declared_checksums(context.request.headers));
    TRY(verify_checksums(declared, context.body));
    auto root = TRY(parse_xml(context.body, "VersioningConfiguration"));
    auto status = root.value("Status");
    if (root.value("MfaDelete") == "Enabled") return not_implemented("MfaDelete");
    if (status != "Enabled" && status != "Suspended") {
        return AwsError{.status = 400,
                        .code = "IllegalVersioningConfigurationException",
                        .message = "The Versioning element must be specified"};
    }
    auto rows = [&](WriteBatch& writes) -> AwsResult<> {
        TRY(to_aws_result(set_versioning(writes, bucket->id,
                                         status == "Enabled" ? Versioning::enabled : Versioning::suspended)));
        return {};
    };
    TRY(update_bucket(s3, *bucket, rows));
    return empty_response(200);
}

// With bucket-owner-enforced ownership every ACL grants full control to the owner only.
AwsResult<http::Response> owner_acl_response(S3& s3) {
    XmlWriter xml("AccessControlPolicy");
    write_owner(xml, "Owner", s3);
    xml.open("AccessControlList");
    xml.open("Grant");
    xml.raw(
        "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>" +
        owner_id(s3) + "</ID></Grantee>");
    xml.value("Permission", "FULL_CONTROL");
    return xml_response(std::move(xml));
}

AwsResult<http::Response> get_bucket_acl(S3& s3, OperationContext& context) {
    TRY(authorized_bucket(s3, context, "s3:GetBucketAcl"));
    return owner_acl_response(s3);
}

}  // namespace integreat::s3
