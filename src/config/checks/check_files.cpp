// SPDX-License-Identifier: Apache-2.0
#include "config/checks/check_files.h"

#include "base/text/closest_match.h"
#include "base/text/find_by_name.h"
#include "config/manifest/opened_files.h"
#include "json/document/node.h"
#include "policy/document/document.h"

namespace integreat::config {

namespace {

struct FilesCheck {
    Document& document;
    const Manifest& manifest;
    const std::optional<std::vector<std::string>>& roles;
};

void check_rule_roles(const FilesCheck& check, const RuleSettings& rule, const std::string& pointer) {
    if (!check.roles) return;
    for (std::size_t i = 0; i < rule.roles.size(); ++i) {
        if (rule.roles[i].empty() || contains(*check.roles, rule.roles[i])) continue;
        auto hint = did_you_mean(rule.roles[i], *check.roles);
        report(check.document, json::append_pointer(pointer + "/roles", i),
               "unknown role " + json::quoted(rule.roles[i]) +
                   (hint.empty() ? ": add it to the app's roles" : hint));
    }
}

void check_rule(const FilesCheck& check, const RuleSettings& rule, const std::string& pointer) {
    auto refuse = [&](bool is_used, std::string_view key, std::string_view reason) {
        if (is_used) {
            report(check.document, json::append_pointer(pointer, key),
                   "S3 cannot check " + std::string(key) + ", because " + std::string(reason) +
                       ": attach it to a record, in a field of type file");
        }
        return is_used;
    };
    const std::string_view no_record = "it is about a record";
    bool refused = refuse(!rule.owner.empty(), "owner", no_record);
    refused = refuse(!rule.through.empty(), "through", no_record) || refused;
    refused = refuse(!rule.states.empty(), "states", no_record) || refused;
    refused = refuse(!rule.fields.empty(), "fields", no_record) || refused;
    refused = refuse(rule.is_public, "public", "the bucket admits no request without credentials") || refused;
    if (!refused && rule.roles.empty() && !rule.signed_in)
        report(check.document, pointer, "the rule allows no caller: add roles or signed_in");
    if (!rule.roles.empty() && rule.signed_in)
        report(check.document, pointer + "/signed_in",
               "every caller with one of the roles is signed in: remove signed_in or roles");
    check_rule_roles(check, rule, pointer);
}

void check_prefix(const FilesCheck& check, std::size_t index) {
    const auto& files = check.manifest.files;
    const auto& prefix = files[index].prefix;
    auto pointer = json::append_pointer("/files", index) + "/prefix";
    for (const char* reserved : {"users/", "records/"}) {
        if (!prefix.starts_with(reserved)) continue;
        report(check.document, pointer,
               "the platform uses the prefix " + std::string(reserved) + ": choose another prefix");
    }
    for (std::size_t i = 0; i < index; ++i) {
        const auto& other = files[i].prefix;
        if (prefix.empty() || other.empty()) continue;
        if (!prefix.starts_with(other) && !other.starts_with(prefix)) continue;
        report(check.document, pointer,
               "prefix " + json::quoted(prefix) + " overlaps with " + json::quoted(other) +
                   ", so that the rules of both would apply: choose separate prefixes");
    }
}

void check_policy_size(const FilesCheck& check) {
    auto bytes =
        policy::count_policy_bytes(make_files_policy(check.manifest.firebase_project, check.manifest.files));
    if (bytes <= policy::role_policies_bytes_max) return;
    report(check.document, "/files",
           "the policy made from files has " + std::to_string(bytes) + " characters, but IAM permits " +
               std::to_string(policy::role_policies_bytes_max) +
               " for a role: open fewer prefixes, or attach the files to records");
}

}  // namespace

void check_files(Document& document, const Manifest& manifest,
                 const std::optional<std::vector<std::string>>& roles) {
    FilesCheck check{document, manifest, roles};
    for (std::size_t i = 0; i < manifest.files.size(); ++i) {
        auto pointer = json::append_pointer("/files", i);
        const auto& files = manifest.files[i];
        check_prefix(check, i);
        if (files.read.empty() && files.write.empty())
            report(document, pointer, "the prefix is open to no caller: add read or write");
        for (std::size_t rule = 0; rule < files.read.size(); ++rule)
            check_rule(check, files.read[rule], json::append_pointer(pointer + "/read", rule));
        for (std::size_t rule = 0; rule < files.write.size(); ++rule)
            check_rule(check, files.write[rule], json::append_pointer(pointer + "/write", rule));
    }
    check_policy_size(check);
}

}  // namespace integreat::config
