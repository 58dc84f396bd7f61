// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"
#include "crypto/digest.h"
#include "crypto/encoding.h"

namespace integreat::s3 {

namespace {

bool looks_like_an_address(std::string_view name) {
    return std::count(name.begin(), name.end(), '.') == 3 &&
           std::all_of(name.begin(), name.end(), [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
bool is_bucket_name(std::string_view name) {
    auto letter_or_digit = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    if (name.size() < 3 || name.size() > 63) return false;
    if (!letter_or_digit(name.front()) || !letter_or_digit(name.back())) return false;
    for (char c : name) {
        if (!letter_or_digit(c) && c != '-' && c != '.') return false;
    }
    return name.find("..") == std::string_view::npos && !looks_like_an_address(name) &&
           !name.starts_with("xn--") && !name.ends_with("-s3alias");
}

AwsError illegal_location(std::string_view wanted) {
    return {.status = 400,
            .code = "IllegalLocationConstraintException",
            .message = "The " + std::string(wanted) +
                       " location constraint is incompatible for the region specific endpoint this request "
                       "was sent to."};
}

// us-east-1 is the one region that is not named when a bucket is made there.
Tried<> check_location(const S3& s3, std::string_view body) {
    std::string wanted;
    if (!body.empty()) {
        auto root = TRY(parse_xml(body, "CreateBucketConfiguration"));
        wanted = root.value("LocationConstraint");
    }
    if (s3.region == "us-east-1") {
        if (wanted == "us-east-1") {
            return AwsError{.status = 400,
                            .code = "InvalidLocationConstraint",
                            .message = "The specified location-constraint is not valid",
                            .details = {{"LocationConstraint", wanted}}};
        }
        if (!wanted.empty()) return illegal_location(wanted);
    } else if (wanted != s3.region) {
        return illegal_location(wanted.empty() ? "unspecified" : wanted);
    }
    return {};
}

}  // namespace

Result<> ensure_bucket(S3& s3, const std::string& name) {
    if (!is_bucket_name(name)) return Error{Fault::invalid, "a bucket cannot be named " + name};
    if (TRY(find_bucket(*s3.storage, name))) return {};
    return commit(*s3.storage, [&](Change& inside) {
        return insert_bucket(inside, {.name = name, .region = s3.region, .created = s3.storage->clock.now()});
    });
}

std::string owner_id(const S3& s3) {
    return crypto::hex_encode(crypto::as_view(crypto::sha256("canonical user of account " + s3.account)));
}

void write_owner(XmlText& xml, std::string_view element, const S3& s3) {
    xml.open(element);
    xml.value("ID", owner_id(s3));
    xml.close();
}

Done list_all_buckets(S3& s3, Exchange& exchange) {
    TRY(permit(exchange, {}, {.action = "s3:ListAllMyBuckets", .resource = "arn:aws:s3:::*"}));
    auto buckets = TRY(list_buckets(*s3.storage));
    auto prefix = exchange.parameter("prefix").value_or("");
    XmlText xml("ListAllMyBucketsResult");
    write_owner(xml, "Owner", s3);
    xml.open("Buckets");
    for (const auto& bucket : buckets) {
        if (!bucket.name.starts_with(prefix)) continue;
        xml.open("Bucket");
        xml.value("Name", bucket.name);
        xml.value("CreationDate", iso_time(bucket.created));
        xml.value("BucketRegion", bucket.region);
        xml.close();
    }
    return answer_xml(std::move(xml));
}

Done create_bucket(S3& s3, Exchange& exchange) {
    const auto& name = exchange.bucket;
    if (!is_bucket_name(name)) {
        return AwsError{.status = 400,
                        .code = "InvalidBucketName",
                        .message = "The specified bucket is not valid.",
                        .details = {{"BucketName", name}}};
    }
    auto known = TRY(find_bucket(*s3.storage, name));
    TRY(permit(exchange, known ? *known : Bucket{},
               {.action = "s3:CreateBucket", .resource = bucket_arn(name)}));
    TRY(refuse_what_is_not_there(exchange.request.headers));
    if (exchange.request.headers.value("x-amz-bucket-object-lock-enabled") == "true")
        return not_implemented("object lock");
    TRY(check_location(s3, exchange.body));
    if (known && s3.region != "us-east-1") {
        return AwsError{.status = 409,
                        .code = "BucketAlreadyOwnedByYou",
                        .message =
                            "Your previous request to create the named bucket succeeded and you "
                            "already own it.",
                        .details = {{"BucketName", name}}};
    }
    if (!known) {
        if (TRY(list_buckets(*s3.storage)).size() >= buckets_max) {
            return AwsError{.status = 400,
                            .code = "TooManyBuckets",
                            .message = "You have attempted to create more buckets than allowed"};
        }
        auto rows = [&](Change& inside) -> Tried<> {
            if (TRY(find_bucket(inside.transaction, name))) return {};
            TRY(insert_bucket(inside,
                              {.name = name, .region = s3.region, .created = s3.storage->clock.now()}));
            return {};
        };
        TRY(change(s3, rows));
    }
    http::Headers headers;
    headers.set("Location", "/" + name);
    return answer_empty(200, std::move(headers));
}

Done delete_empty_bucket(S3& s3, Exchange& exchange) {
    auto bucket = TRY(permitted_bucket(s3, exchange, "s3:DeleteBucket"));
    auto rows = [&](Change& inside) -> Tried<> {
        auto deleted = delete_bucket(inside, bucket->id);
        if (deleted) return {};
        if (deleted.error().fault != Fault::conflict) return std::move(deleted).error();
        return AwsError{.status = 409,
                        .code = "BucketNotEmpty",
                        .message = "The bucket you tried to delete is not empty",
                        .details = {{"BucketName", bucket->name}}};
    };
    TRY(change_bucket(s3, *bucket, rows));
    return answer_empty(204);
}

Done head_bucket(S3& s3, Exchange& exchange) {
    auto bucket = TRY(permitted_bucket(s3, exchange, "s3:ListBucket"));
    http::Headers headers;
    headers.set("x-amz-bucket-region", bucket->region);
    headers.set("x-amz-access-point-alias", "false");
    return answer_empty(200, std::move(headers));
}

Done get_location(S3& s3, Exchange& exchange) {
    auto bucket = TRY(permitted_bucket(s3, exchange, "s3:GetBucketLocation"));
    XmlText xml("LocationConstraint");
    if (bucket->region != "us-east-1") xml.raw(bucket->region);
    return answer_xml(std::move(xml));
}

Done get_versioning(S3& s3, Exchange& exchange) {
    auto bucket = TRY(permitted_bucket(s3, exchange, "s3:GetBucketVersioning"));
    XmlText xml("VersioningConfiguration");
    if (bucket->versioning != Versioning::never)
        xml.value("Status", bucket->versioning == Versioning::enabled ? "Enabled" : "Suspended");
    return answer_xml(std::move(xml));
}

Done put_versioning(S3& s3, Exchange& exchange) {
    auto bucket = TRY(permitted_bucket(s3, exchange, "s3:PutBucketVersioning"));
    auto claims = TRY(claims_of(exchange.request.headers));
    TRY(check_claims(claims, exchange.body));
    auto root = TRY(parse_xml(exchange.body, "VersioningConfiguration"));
    auto status = root.value("Status");
    if (root.value("MfaDelete") == "Enabled") return not_implemented("MfaDelete");
    if (status != "Enabled" && status != "Suspended") {
        return AwsError{.status = 400,
                        .code = "IllegalVersioningConfigurationException",
                        .message = "The Versioning element must be specified"};
    }
    auto rows = [&](Change& inside) -> Tried<> {
        TRY(set_versioning(inside, bucket->id,
                           status == "Enabled" ? Versioning::enabled : Versioning::suspended));
        return {};
    };
    TRY(change_bucket(s3, *bucket, rows));
    return answer_empty(200);
}

// With bucket-owner-enforced ownership an ACL is always this one.
Done answer_owner_acl(S3& s3) {
    XmlText xml("AccessControlPolicy");
    write_owner(xml, "Owner", s3);
    xml.open("AccessControlList");
    xml.open("Grant");
    xml.raw(
        "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>" +
        owner_id(s3) + "</ID></Grantee>");
    xml.value("Permission", "FULL_CONTROL");
    return answer_xml(std::move(xml));
}

Done get_bucket_acl(S3& s3, Exchange& exchange) {
    TRY(permitted_bucket(s3, exchange, "s3:GetBucketAcl"));
    return answer_owner_acl(s3);
}

}  // namespace integreat::s3
