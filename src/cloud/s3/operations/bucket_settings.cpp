// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/bucket_settings.h"

#include <algorithm>
#include <array>

#include "cloud/s3/operations/cors.h"
#include "cloud/s3/operations/operations.h"
#include "cloud/s3/operations/public_access.h"
#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

bool only(const Element& element, std::initializer_list<std::string_view> names) {
    return std::all_of(element.children.begin(), element.children.end(), [&](const Element& inside) {
        return std::find(names.begin(), names.end(), inside.name) != names.end();
    });
}

Tried<> check_cors(const Element& document) {
    TRY(read_cors(document));
    return {};
}

Tried<> check_public_access_block(const Element& document) {
    if (!only(document,
              {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"}))
        return malformed_xml();
    for (const auto& inside : document.children) {
        if (inside.text != "true" && inside.text != "false" && inside.text != "TRUE" &&
            inside.text != "FALSE")
            return malformed_xml();
    }
    return {};
}

Tried<> check_encryption(const Element& document) {
    const auto* rule = document.child("Rule");
    if (!rule || document.children.size() != 1) return malformed_xml();
    if (!only(*rule, {"ApplyServerSideEncryptionByDefault", "BucketKeyEnabled"})) return malformed_xml();
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

Tried<> check_tagging(const Element& document) {
    TRY(read_tag_set(document, bucket_tags_max));
    return {};
}

Tried<> check_lifecycle(const Element& document) {
    std::vector<std::string_view> ids;
    if (document.children.empty() || document.children.size() > lifecycle_rules_max) return malformed_xml();
    for (const auto& rule : document.children) {
        if (rule.name != "Rule" ||
            !only(rule, {"ID", "Status", "Filter", "Prefix", "Expiration", "Transition",
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

Tried<> check_ownership(const Element& document) {
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
    std::string_view root;  // Of its XML; empty: JSON.
    Tried<> (*check)(const Element&) = nullptr;
    std::string_view missing_code, missing;  // Of a bucket that has none.
    std::string_view by_default = {};        // What a bucket has that was not told otherwise.
};

constexpr std::string_view encryption_by_default =
    "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
    "</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>";
constexpr std::string_view ownership_by_default =
    "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>";
constexpr std::string_view block_by_default =
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
     block_by_default},
    {"encryption", "s3:GetEncryptionConfiguration", "s3:PutEncryptionConfiguration",
     "s3:PutEncryptionConfiguration", "ServerSideEncryptionConfiguration", check_encryption,
     "ServerSideEncryptionConfigurationNotFoundError",
     "The server side encryption configuration was not found", encryption_by_default},
    {"tagging", "s3:GetBucketTagging", "s3:PutBucketTagging", "s3:PutBucketTagging", "Tagging", check_tagging,
     "NoSuchTagSet", "The TagSet does not exist"},
    {"lifecycle", "s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration",
     "s3:PutLifecycleConfiguration", "LifecycleConfiguration", check_lifecycle,
     "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"},
    {"ownershipControls", "s3:GetBucketOwnershipControls", "s3:PutBucketOwnershipControls",
     "s3:PutBucketOwnershipControls", "OwnershipControls", check_ownership, "OwnershipControlsNotFoundError",
     "The bucket ownership controls were not found", ownership_by_default},
}};

const Setting& setting_of(std::string_view name) {
    auto found =
        std::find_if(settings.begin(), settings.end(), [&](const auto& s) { return s.name == name; });
    ASSERT(found != settings.end());
    return *found;
}

// The document as it is kept.
Tried<std::string> checked(const Bucket& bucket, const Setting& setting, std::string_view document) {
    if (setting.check) {
        auto root = TRY(parse_xml(document, setting.root));
        TRY(setting.check(root));
        return to_xml(root);
    }
    auto reading = policy::read_document(document, policy::DocumentKind::resource);
    if (!reading.good()) {
        return AwsError{.status = 400,
                        .code = "MalformedPolicy",
                        .message = policy::first_for_aws(reading.mistakes).aws,
                        .cause = reading.mistakes.front().pointer + ": " + reading.mistakes.front().message};
    }
    if (public_access_block_of(bucket).block_public_policy && is_public(reading.document))
        return access_denied("BlockPublicPolicy of bucket " + bucket.name + " refuses a public policy");
    return std::string(document);
}

}  // namespace

void read_settings(Bucket& bucket) {
    if (auto found = bucket.settings.find("cors"); found != bucket.settings.end()) {
        auto root = parse_xml(found->second, "CORSConfiguration");
        ASSERT(root);
        auto rules = read_cors(*root);
        ASSERT(rules);
        bucket.cors = *std::move(rules);
    }
    if (auto found = bucket.settings.find("policy"); found != bucket.settings.end()) {
        auto document = policy::parse_document(found->second, policy::DocumentKind::resource);
        ASSERT(document);
        bucket.policy = *std::move(document);
    }
}

Done get_setting(S3& s3, Exchange& exchange, std::string_view name) {
    const auto& setting = setting_of(name);
    auto bucket = TRY(permitted_bucket(s3, exchange, setting.get_action));
    auto found = bucket->settings.find(name);
    bool kept = found != bucket->settings.end();
    if (kept ? found->second == deleted_setting : setting.by_default.empty()) {
        return AwsError{.status = 404,
                        .code = std::string(setting.missing_code),
                        .message = std::string(setting.missing),
                        .details = {{"BucketName", bucket->name}}};
    }
    if (!kept) {
        XmlText xml(setting.root);
        xml.raw(setting.by_default);
        return answer_xml(std::move(xml));
    }
    http::Reply reply{.status = 200, .headers = {}, .body = found->second};
    reply.headers.set("Content-Type", setting.check ? "application/xml" : "application/json");
    return http::Response(std::move(reply));
}

Tried<> keep_setting(S3& s3, const Bucket& bucket, std::string_view name, std::string_view document) {
    auto kept = TRY(checked(bucket, setting_of(name), document));
    return change_bucket(s3, bucket, [&](Change& inside) -> Tried<> {
        TRY(set_setting(inside, bucket.id, name, kept));
        return {};
    });
}

Done put_setting(S3& s3, Exchange& exchange, std::string_view name) {
    const auto& setting = setting_of(name);
    auto bucket = TRY(permitted_bucket(s3, exchange, setting.put_action));
    auto claims = TRY(claims_of(exchange.request.headers));
    TRY(check_claims(claims, exchange.body));
    TRY(keep_setting(s3, *bucket, name, exchange.body));
    return answer_empty(name == "policy" || name == "tagging" ? 204 : 200);
}

Done delete_setting(S3& s3, Exchange& exchange, std::string_view name) {
    const auto& setting = setting_of(name);
    auto bucket = TRY(permitted_bucket(s3, exchange, setting.delete_action));
    // Encryption falls back to what every bucket has; the others are gone.
    bool falls_back = setting.by_default.empty() || name == "encryption";
    auto rows = [&](Change& inside) -> Tried<> {
        TRY(set_setting(inside, bucket->id, name, falls_back ? std::string_view() : deleted_setting));
        return {};
    };
    TRY(change_bucket(s3, *bucket, rows));
    return answer_empty(204);
}

Done get_policy_status(S3& s3, Exchange& exchange) {
    auto bucket = TRY(permitted_bucket(s3, exchange, "s3:GetBucketPolicyStatus"));
    if (!bucket->policy) {
        return AwsError{.status = 404,
                        .code = "NoSuchBucketPolicy",
                        .message = "The bucket policy does not exist",
                        .details = {{"BucketName", bucket->name}}};
    }
    XmlText xml("PolicyStatus");
    xml.flag("IsPublic", is_public(*bucket->policy));
    return answer_xml(std::move(xml));
}

}  // namespace integreat::s3
