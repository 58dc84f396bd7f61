// SPDX-License-Identifier: Apache-2.0
#include "policy/document/principals.h"

#include <algorithm>

#include "base/text/ascii.h"
#include "policy/document/arn.h"

namespace integreat::policy {

namespace {

// Returns whether the text is a unique ID such as "AIDAJQABLZS4A3QDU576Q", which AWS stores in place of an
// ARN, so that a new entity does not inherit the permissions of a deleted one with its name.
bool is_unique_id(std::string_view text) {
    return text.size() >= 16 && text.size() <= 128 && text.starts_with('A') &&
           std::all_of(text.begin(), text.end(), [](char c) { return is_upper(c) || is_digit(c); });
}

bool is_principal_arn(const Arn& arn) {
    const auto& resource = arn.resource;
    if (!arn.region.empty() || last_path_segment(resource).empty()) return false;
    if (arn.service == "iam") {
        // "cloudfront" is the account of CloudFront's origin access identities.
        bool account = is_account_id(arn.account) || arn.account == "cloudfront";
        return account &&
               (resource == "root" || resource.starts_with("user/") || resource.starts_with("role/"));
    }
    if (arn.service != "sts" || !is_account_id(arn.account)) return false;
    if (resource.starts_with("federated-user/")) return true;
    return resource.starts_with("assumed-role/") && std::count(resource.begin(), resource.end(), '/') == 2;
}

bool is_id_of_caller(std::string_view text, const Caller& caller) {
    return !caller.id.empty() && text == caller.id.substr(0, caller.id.find(':'));
}

PrincipalMatch match_principals(const PrincipalEntry& entry, const Caller& caller) {
    switch (entry.kind) {
        case PrincipalKind::federated:
            return caller.kind == CallerKind::web_identity && entry.text == caller.provider
                       ? PrincipalMatch::exact
                       : PrincipalMatch::none;
        case PrincipalKind::service:
            return caller.kind == CallerKind::service && entry.text == caller.provider ? PrincipalMatch::exact
                                                                                       : PrincipalMatch::none;
        case PrincipalKind::canonical_user:
            return !caller.canonical_user.empty() && entry.text == caller.canonical_user
                       ? PrincipalMatch::account
                       : PrincipalMatch::none;
        case PrincipalKind::aws: break;
    }
    if (entry.text == "*") return PrincipalMatch::exact;
    if (is_without_account(caller)) return PrincipalMatch::none;
    if (!entry.account.empty())
        return entry.account == caller.account ? PrincipalMatch::account : PrincipalMatch::none;
    if (entry.text == caller.arn) return PrincipalMatch::exact;
    if (!caller.source_arn.empty() && entry.text == caller.source_arn) return PrincipalMatch::source;
    if (is_id_of_caller(entry.text, caller)) {
        return caller.kind == CallerKind::role_session ? PrincipalMatch::source : PrincipalMatch::exact;
    }
    return PrincipalMatch::none;
}

// Returns whether NotPrincipal (Deny only) excludes the caller: the account, the role and the session must
// all be named ("Specifying NotPrincipal with Deny").
bool is_excluded(const Principals& principals, const Caller& caller) {
    bool account = is_without_account(caller);
    bool source = caller.kind != CallerKind::role_session;
    bool self = caller.kind == CallerKind::root;
    for (const auto& entry : principals.entries) {
        if (entry.text == "*") return true;
        auto match = match_principals(entry, caller);
        account = account || match == PrincipalMatch::account;
        source = source || match == PrincipalMatch::source;
        self = self || match == PrincipalMatch::exact;
    }
    return account && source && self;
}

}  // namespace

std::optional<PrincipalEntry> parse_principal(PrincipalKind kind, std::string_view text) {
    PrincipalEntry entry{kind, std::string(text), ""};
    if (text.empty()) return std::nullopt;
    if (kind != PrincipalKind::aws) {
        bool has_wildcards = text.find_first_of("*? \t\r\n") != std::string_view::npos;
        return has_wildcards ? std::nullopt : std::optional(std::move(entry));
    }
    if (text == "*" || is_unique_id(text)) return entry;
    if (is_account_id(text)) {
        entry.account = entry.text;
        return entry;
    }
    auto arn = split_arn(text);
    if (!arn || !is_principal_arn(*arn) || text.find_first_of("*?") != std::string_view::npos) {
        return std::nullopt;
    }
    if (arn->service == "iam" && arn->resource == "root") entry.account = std::string(arn->account);
    return entry;
}

PrincipalMatch match_principals(const Principals& principals, const Caller& caller) {
    if (principals.is_not)
        return is_excluded(principals, caller) ? PrincipalMatch::none : PrincipalMatch::exact;
    auto strongest = PrincipalMatch::none;
    for (const auto& entry : principals.entries)
        strongest = std::max(strongest, match_principals(entry, caller));
    return strongest;
}

}  // namespace integreat::policy
