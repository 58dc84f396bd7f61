// SPDX-License-Identifier: Apache-2.0
#include "policy/files/bucket_access.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace integreat::policy {

namespace json = boost::json;

namespace {

const std::string uid_key = "aws:PrincipalTag/" + std::string(uid_tag);
const std::string role_key = "aws:PrincipalTag/" + std::string(role_tag);

json::array to_array(std::span<const std::string> texts) {
    return json::array(texts.begin(), texts.end());
}

json::object make_allow(std::string_view sid, json::value actions, std::string resource,
                        json::object conditions) {
    return {{"Sid", sid},
            {"Effect", "Allow"},
            {"Action", std::move(actions)},
            {"Resource", std::move(resource)},
            {"Condition", std::move(conditions)}};
}

// A uid with a "/" would reach into the prefix of another user; without a uid the variable has no value, and
// the statement matches nothing.
void add_own_files(json::array& statements, const std::string& arn) {
    const std::string own = "users/${" + uid_key + "}/*";
    statements.push_back(make_allow(
        "OwnFiles", json::array{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}, arn + "/" + own,
        {{"StringLike", {{uid_key, "?*"}}}, {"StringNotLike", {{uid_key, "*/*"}}}}));
    statements.push_back(make_allow(
        "ListOwnFiles", "s3:ListBucket", arn,
        {{"StringLike", {{"s3:prefix", own}, {uid_key, "?*"}}}, {"StringNotLike", {{uid_key, "*/*"}}}}));
}

// Files of a user under the identity ID of the pool, where earlier versions of the client stored them.
void add_earlier_files(json::array& statements, const std::string& arn) {
    const std::string subject = "cognito-identity.amazonaws.com:sub";
    const std::string own = "users/${" + subject + "}/*";
    json::object any_identity{{"StringLike", {{subject, "?*"}}}};
    statements.push_back(make_allow("EarlierFiles",
                                    json::array{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
                                    arn + "/" + own, any_identity));
    statements.push_back(make_allow("ListEarlierFiles", "s3:ListBucket", arn,
                                    {{"StringLike", {{"s3:prefix", own}, {subject, "?*"}}}}));
}

// Adds the condition on the session tags of the caller.
json::object with_grantees(const Grantees& grantees, json::object text_patterns = {}) {
    json::object conditions;
    if (grantees.signed_in) {
        text_patterns[uid_key] = "?*";
    } else {
        conditions["StringEquals"] = json::object{{role_key, to_array(grantees.roles)}};
    }
    if (!text_patterns.empty()) conditions["StringLike"] = std::move(text_patterns);
    return conditions;
}

void add_opened_prefix(json::array& statements, const std::string& arn, const OpenedPrefix& opened,
                       std::size_t number) {
    const auto suffix = std::to_string(number);
    const auto pattern = opened.prefix + "*";
    if (!opened.read.is_empty()) {
        statements.push_back(
            make_allow("Read" + suffix, "s3:GetObject", arn + "/" + pattern, with_grantees(opened.read)));
        statements.push_back(make_allow("List" + suffix, "s3:ListBucket", arn,
                                        with_grantees(opened.read, {{"s3:prefix", pattern}})));
    }
    if (!opened.write.is_empty()) {
        statements.push_back(make_allow("Write" + suffix, json::array{"s3:PutObject", "s3:DeleteObject"},
                                        arn + "/" + pattern, with_grantees(opened.write)));
    }
}

// CreateMultipartUpload and UploadPart take no condition; CompleteMultipartUpload does.
json::object make_create_only(const std::string& arn) {
    return {{"Sid", "CreateOnly"},
            {"Effect", "Deny"},
            {"Action", "s3:PutObject"},
            {"Resource", arn + "/*"},
            {"Condition",
             {{"Null", {{"s3:if-none-match", "true"}}}, {"Bool", {{"s3:ObjectCreationOperation", "true"}}}}}};
}

}  // namespace

std::string make_bucket_access_policy(std::string_view bucket, std::span<const OpenedPrefix> opened) {
    const auto arn = "arn:aws:s3:::" + std::string(bucket);
    json::array statements;
    add_own_files(statements, arn);
    add_earlier_files(statements, arn);
    for (std::size_t i = 0; i < opened.size(); ++i)
        add_opened_prefix(statements, arn, opened[i], i + 1);
    statements.push_back(make_create_only(arn));
    return json::serialize(json::object{{"Version", "2012-10-17"}, {"Statement", std::move(statements)}});
}

std::size_t count_policy_bytes(std::string_view document) {
    return static_cast<std::size_t>(std::ranges::count_if(
        document, [](char c) { return c != ' ' && c != '\t' && c != '\n' && c != '\r'; }));
}

}  // namespace integreat::policy
