// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/public_access.h"

#include <algorithm>
#include <array>

#include "cloud/s3/operations/bucket_settings.h"

namespace integreat::s3 {

namespace {

// Keys whose fixed values tie a request to an account, an organisation, a network.
constexpr std::array<std::string_view, 13> tying{
    "aws:sourcearn",        "aws:sourcevpc", "aws:sourcevpce",        "aws:sourceowner",
    "aws:sourceaccount",    "aws:userid",    "aws:principalorgid",    "aws:principalarn",
    "aws:principalaccount", "aws:sourceip",  "s3:dataaccesspointarn", "s3:dataaccesspointaccount",
    "aws:principalorgpaths"};

bool is_open(const std::string& text) {
    return text.find("${") != std::string::npos || text == "*" || text == "0.0.0.0/0" || text == "::/0";
}

bool ties(const policy::Condition& condition) {
    const auto& texts = condition.operand_texts;
    return !condition.op.negated && std::none_of(texts.begin(), texts.end(), is_open) &&
           std::find(tying.begin(), tying.end(), condition.key) != tying.end();
}

}  // namespace

PublicAccessBlock public_access_block_of(const Bucket& bucket) {
    auto found = bucket.settings.find("publicAccessBlock");
    if (found == bucket.settings.end()) return {};
    PublicAccessBlock block{false, false, false, false};
    if (found->second == deleted_setting) return block;
    auto root = parse_xml(found->second, "PublicAccessBlockConfiguration");
    ASSERT(root);
    auto is_on = [&](std::string_view name) {
        auto value = root->value(name);
        return value == "true" || value == "TRUE";
    };
    block.block_public_acls = is_on("BlockPublicAcls");
    block.ignore_public_acls = is_on("IgnorePublicAcls");
    block.block_public_policy = is_on("BlockPublicPolicy");
    block.restrict_public_buckets = is_on("RestrictPublicBuckets");
    return block;
}

bool restricts_public(const Bucket& bucket) {
    return public_access_block_of(bucket).restrict_public_buckets;
}

bool is_public(const policy::Document& document) {
    for (const auto& statement : document.statements) {
        if (statement.effect != policy::Effect::allow) continue;
        const auto& [is_not, named] = statement.principals;
        bool anybody = is_not || std::any_of(named.begin(), named.end(),
                                             [](const auto& principal) { return principal.text == "*"; });
        if (anybody && std::none_of(statement.conditions.begin(), statement.conditions.end(), ties))
            return true;
    }
    return false;
}

}  // namespace integreat::s3
