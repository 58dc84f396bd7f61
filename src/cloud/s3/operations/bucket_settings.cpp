// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/bucket_settings.h"

#include <algorithm>
#include <array>

#include "cloud/s3/operations/cors.h"
#include "cloud/s3/operations/operations.h"
#include "cloud/s3/protocol/bucket_settings.h"
#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

bool has_only_children(const Element& parent, std::initializer_list<std::string_view> names) {
    return std::all_of(parent.children.begin(), parent.children.end(), [&](const Element& element) {
        return std::find(names.begin(), names.end(), element.name) != names.end();
    });
}

AwsResult<> check_cors(const Element& document) {
    TRY(parse_cors(document));
    return {};
}

AwsResult<> check_public_access_block(const Element& document) {
    if (!has_only_children(
            document, {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"}))
        return malformed_xml();
    for (const auto& element : document.children) {
        if (element.text != "true" && element.text != "false" && element.text != "TRUE" &&
            element.text != "FALSE")
            return malformed_xml();
    }
    return {};
}

AwsResult<> check_encryption(const Element& document) {
    const auto* rule = document.child("Rule");
    if (!rule || document.children.size() != 1) return malformed_xml();
    if (!has_only_children(*rule, {"ApplyServerSideEncryptionByDefault", "BucketKeyEnabled"}))
        return malformed_xml();
    const auto* applied = rule->child("ApplyServerSideEncryptionByDefault");
    if (!applied) return malformed_xml();
    auto algorithm = applied->value("SSEAlgorithm");
    if (algorithm != "AES256" && algorithm != "aws:kms" && algorithm != "aws:kms:dsse")
        return malformed_xml();
    if (algorithm == "AES256" && applied->child("KMSMasterKeyID"))
        return invalid_argument(
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms",
            "KMSMasterKeyID", applied->value("KMSMasterKeyID"));
    return {};
}

AwsResult<> check_tagging(const Element& document) {
    TRY(parse_tag_set(document, bucket_tags_max));
    return {};
}

AwsResult<> check_lifecycle(const Element& document) {
    std::vector<std::string_view> ids;
    if (document.children.empty() || document.children.size() > lifecycle_rules_max) return malformed_xml();
    for (const auto& rule : document.children) {
        if (rule.name != "Rule" ||
            !has_only_children(rule, {"ID", "Status", "Filter", "Prefix", "Expiration", "Transition",
                                      "NoncurrentVersionExpiration", "NoncurrentVersionTransition",
                                      "AbortIncompleteMultipartUpload"}))
            return malformed_xml();
        auto status = rule.value("Status");
        if (status != "Enabled" && status != "Disabled") return malformed_xml();
        if (rule.child("Filter") && rule.child("Prefix")) return malformed_xml();
        if (!rule.child("Filter") && !rule.child("Prefix")) return malformed_xml();
        if (!rule.child("Expiration") && !rule.child("Transition") &&
            !rule.child("NoncurrentVersionExpiration") && !rule.child("NoncurrentVersionTransition") &&
            !rule.child("AbortIncompleteMultipartUpload"))
            return invalid_request("At least one action needs to be specified in a rule");
        auto id = rule.value("ID");
        if (id.size() > 255)
            return invalid_argument("ID length should not exceed allowed limit of 255", "ID", id);
        if (!id.empty() && std::find(ids.begin(), ids.end(), id) != ids.end())
            return invalid_argument("Rule ID must be unique. Found same ID for more than one rule", "ID", id);
        ids.push_back(id);
    }
    return {};
}

AwsResult<> check_ownership(const Element& document) {
    const auto* rule = document.child("Rule");
    if (!rule || document.children.size() != 1 || rule->children.size() != 1) return malformed_xml();
    auto owner = rule->value("ObjectOwnership");
    if (owner == "BucketOwnerPreferred" || owner == "ObjectWriter")
        return not_implemented("access control lists (ObjectOwnership " + std::string(owner) + ")");
    if (owner != "BucketOwnerEnforced") return malformed_xml();
    return {};
}

struct Setting {
    std::string_view name;
    std::string_view get_action, put_action, delete_action;
    std::string_view root;  // XML root element; empty for JSON.
    AwsResult<> (*check)(const Element&) = nullptr;
    std::string_view missing_code, missing_message;  // The error if the bucket has none.
    std::string_view default_xml = {};               // The content for a bucket without its own.
};

constexpr std::string_view default_encryption =
    "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
    "</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>";
constexpr std::string_view default_ownership =
    "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>";
constexpr std::string_view default_public_access_block =
    "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>"
    "<BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>";

constexpr std::array<Setting, 7> settings{{
    {"cors", "s3:GetBucketCORS", "s3:PutBucketCORS", "s3:PutBucketCORS", "CORSConfiguration", check_cors,
     "NoSuchCORSConfiguration", "The CORS configuration does not exist"},
    {"policy", "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "", nullptr,
     "NoSuchBucketPolicy", "The bucket policy does not exist"},
    {"publicAccessBlock", "s3:GetBucketPublicAccessBlock", "s3:PutBucketPublicAccessBlock",
     "s3:PutBucketPublicAccessBlock", "PublicAccessBlockConfiguration", check_public_access_block,
     "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found",
     default_public_access_block},
    {"encryption", "s3:GetEncryptionConfiguration", "s3:PutEncryptionConfiguration",
     "s3:PutEncryptionConfiguration", "ServerSideEncryptionConfiguration", check_encryption,
     "ServerSideEncryptionConfigurationNotFoundError",
     "The server side encryption configuration was not found", default_encryption},
    {"tagging", "s3:GetBucketTagging", "s3:PutBucketTagging", "s3:PutBucketTagging", "Tagging", check_tagging,
     "NoSuchTagSet", "The TagSet does not exist"},
    {"lifecycle", "s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration",
     "s3:PutLifecycleConfiguration", "LifecycleConfiguration", check_lifecycle,
     "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"},
    {"ownershipControls", "s3:GetBucketOwnershipControls", "s3:PutBucketOwnershipControls",
     "s3:PutBucketOwnershipControls", "OwnershipControls", check_ownership, "OwnershipControlsNotFoundError",
     "The bucket ownership controls were not found", default_ownership},
}};

const Setting& find_setting(std::string_view name) {
    auto found =
        std::find_if(settings.begin(), settings.end(), [&](const auto& s) { return s.name == name; });
    ASSERT(found != settings.end());
    return *found;
}

// Validates a document and returns the text to save.
AwsResult<std::string> validate(const Bucket& bucket, const Setting& setting, std::string_view document) {
    if (setting.check) {
        auto root = TRY(parse_xml(document, setting.root));
        TRY(setting.check(root));
        return to_xml(root);
    }
    auto parsed = policy::validate_document(document, policy::DocumentKind::resource);
    if (!parsed.good()) {
        return AwsError{.status = 400,
                        .code = "MalformedPolicy",
                        .message = policy::first_aws_error(parsed.errors).aws_message,
                        .cause = parsed.errors.front().pointer + ": " + parsed.errors.front().message};
    }
    if (parse_public_access_block(bucket).block_public_policy && is_public_policy(parsed.document))
        return access_denied("BlockPublicPolicy of bucket " + bucket.name +
                             " does not allow a public policy");
    return std::string(document);
}

}  // namespace

AwsResult<http::Response> get_setting(S3& s3, OperationContext& context, std::string_view name) {
    const auto& setting = find_setting(name);
    auto bucket = TRY(authorized_bucket(s3, context, setting.get_action));
    auto stored = bucket->settings.find(name);
    bool is_set = stored != bucket->settings.end();
    if (is_set ? stored->second == deleted_setting : setting.default_xml.empty()) {
        return AwsError{.status = 404,
                        .code = std::string(setting.missing_code),
                        .message = std::string(setting.missing_message),
                        .details = {{"BucketName", bucket->name}}};
    }
    if (!is_set) {
        XmlWriter xml(setting.root);
        xml.raw(setting.default_xml);
        return xml_response(std::move(xml));
    }
    http::FullResponse response{.status = 200, .headers = {}, .body = stored->second};
    response.headers.set("Content-Type", setting.check ? "application/xml" : "application/json");
    return http::Response(std::move(response));
}

AwsResult<http::Response> put_setting(S3& s3, OperationContext& context, std::string_view name) {
    const auto& setting = find_setting(name);
    auto bucket = TRY(authorized_bucket(s3, context, setting.put_action));
    auto declared = TRY(parse_declared_checksums(context.request.headers));
    TRY(verify_checksums(declared, context.body));
    auto document = TRY(validate(*bucket, setting, context.body));
    auto rows = [&](WriteBatch& writes) -> AwsResult<> {
        TRY(to_aws_result(set_setting(writes, bucket->id, name, document)));
        return {};
    };
    TRY(update_bucket(s3, *bucket, rows));
    return empty_response(name == "policy" || name == "tagging" ? 204 : 200);
}

AwsResult<http::Response> delete_setting(S3& s3, OperationContext& context, std::string_view name) {
    const auto& setting = find_setting(name);
    auto bucket = TRY(authorized_bucket(s3, context, setting.delete_action));
    // Deleted encryption falls back to the default; the other settings with a default stay deleted.
    bool falls_back = setting.default_xml.empty() || name == "encryption";
    auto rows = [&](WriteBatch& writes) -> AwsResult<> {
        TRY(to_aws_result(
            set_setting(writes, bucket->id, name, falls_back ? std::string_view() : deleted_setting)));
        return {};
    };
    TRY(update_bucket(s3, *bucket, rows));
    return empty_response(204);
}

AwsResult<http::Response> get_policy_status(S3& s3, OperationContext& context) {
    auto bucket = TRY(authorized_bucket(s3, context, "s3:GetBucketPolicyStatus"));
    if (!bucket->policy) {
        return AwsError{.status = 404,
                        .code = "NoSuchBucketPolicy",
                        .message = "The bucket policy does not exist",
                        .details = {{"BucketName", bucket->name}}};
    }
    XmlWriter xml("PolicyStatus");
    xml.flag("IsPublic", is_public_policy(*bucket->policy));
    return xml_response(std::move(xml));
}

}  // namespace integreat::s3
