// SPDX-License-Identifier: Apache-2.0
#include "policy/document/principals.h"

#include <algorithm>

#include "policy/document/arn.h"

namespace integreat::policy {

namespace {

bool starts_with(std::string_view text, std::string_view start) {
    return text.substr(0, start.size()) == start;
}

// "AIDAJQABLZS4A3QDU576Q": what AWS puts in place of an ARN, so that a deleted name is not inherited.
bool is_unique_id(std::string_view text) {
    return text.size() >= 16 && text.size() <= 128 && starts_with(text, "A") &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

bool is_principal_arn(const Arn& arn) {
    const auto& resource = arn.resource;
    if (!arn.region.empty() || last_step(resource).empty()) return false;
    if (arn.service == "iam") {
        // "cloudfront" is the account of CloudFront's origin access identities.
        bool account = is_account_id(arn.account) || arn.account == "cloudfront";
        return account &&
               (resource == "root" || starts_with(resource, "user/") || starts_with(resource, "role/"));
    }
    if (arn.service != "sts" || !is_account_id(arn.account)) return false;
    if (starts_with(resource, "federated-user/")) return true;
    return starts_with(resource, "assumed-role/") && std::count(resource.begin(), resource.end(), '/') == 2;
}

bool is_id_of(std::string_view text, const Caller& caller) {
    return !caller.id.empty() && text == caller.id.substr(0, caller.id.find(':'));
}

Naming naming_of(const NamedPrincipal& named, const Caller& caller) {
    switch (named.kind) {
        case PrincipalKind::federated:
            return caller.kind == CallerKind::web_identity && named.text == caller.provider ? Naming::exact
                                                                                            : Naming::none;
        case PrincipalKind::service:
            return caller.kind == CallerKind::service && named.text == caller.provider ? Naming::exact
                                                                                       : Naming::none;
        case PrincipalKind::canonical_user:
            return !caller.canonical_user.empty() && named.text == caller.canonical_user ? Naming::account
                                                                                         : Naming::none;
        case PrincipalKind::aws: break;
    }
    if (named.text == "*") return Naming::exact;
    if (is_without_account(caller)) return Naming::none;
    if (!named.account.empty()) return named.account == caller.account ? Naming::account : Naming::none;
    if (named.text == caller.arn) return Naming::exact;
    if (!caller.source_arn.empty() && named.text == caller.source_arn) return Naming::source;
    if (is_id_of(named.text, caller)) {
        return caller.kind == CallerKind::role_session ? Naming::source : Naming::exact;
    }
    return Naming::none;
}

// NotPrincipal, which is for Deny only, spares a caller if all that it is, is named: the account, the role
// and the session ("Specifying NotPrincipal with Deny").
bool is_spared(const Principals& principals, const Caller& caller) {
    bool account = is_without_account(caller);
    bool source = caller.kind != CallerKind::role_session;
    bool self = caller.kind == CallerKind::root;
    for (const auto& named : principals.named) {
        if (named.text == "*") return true;
        auto naming = naming_of(named, caller);
        account = account || naming == Naming::account;
        source = source || naming == Naming::source;
        self = self || naming == Naming::exact;
    }
    return account && source && self;
}

}  // namespace

std::optional<NamedPrincipal> parse_principal(PrincipalKind kind, std::string_view text) {
    NamedPrincipal named{kind, std::string(text), ""};
    if (text.empty()) return std::nullopt;
    if (kind != PrincipalKind::aws) {
        bool wild = text.find_first_of("*? \t\r\n") != std::string_view::npos;
        return wild ? std::nullopt : std::optional(std::move(named));
    }
    if (text == "*" || is_unique_id(text)) return named;
    if (is_account_id(text)) {
        named.account = named.text;
        return named;
    }
    auto arn = split_arn(text);
    if (!arn || !is_principal_arn(*arn) || text.find_first_of("*?") != std::string_view::npos) {
        return std::nullopt;
    }
    if (arn->service == "iam" && arn->resource == "root") named.account = std::string(arn->account);
    return named;
}

Naming naming_of(const Principals& principals, const Caller& caller) {
    if (principals.is_not) return is_spared(principals, caller) ? Naming::none : Naming::exact;
    auto strongest = Naming::none;
    for (const auto& named : principals.named)
        strongest = std::max(strongest, naming_of(named, caller));
    return strongest;
}

}  // namespace integreat::policy
