// SPDX-License-Identifier: Apache-2.0
#include "policy/document/caller.h"

#include "policy/document/arn.h"

namespace integreat::policy {

namespace {

std::string sts_arn(std::string_view partition, std::string_view account, std::string_view resource) {
    return "arn:" + std::string(partition) + ":sts::" + std::string(account) + ":" + std::string(resource);
}

}  // namespace

Caller root(std::string_view account) {
    return {.kind = CallerKind::root,
            .account = std::string(account),
            .arn = "arn:aws:iam::" + std::string(account) + ":root",
            .id = std::string(account)};
}

Caller user(std::string_view arn, std::string_view id) {
    auto parts = split_arn(arn).value_or(Arn{});
    return {.kind = CallerKind::user,
            .account = std::string(parts.account),
            .arn = std::string(arn),
            .id = std::string(id),
            .name = std::string(last_path_segment(parts.resource))};
}

Caller role_session(std::string_view role_arn, std::string_view role_id, std::string_view session) {
    auto parts = split_arn(role_arn).value_or(Arn{});
    // The ARN of a session contains the role's name without its path.
    auto name = "assumed-role/" + std::string(last_path_segment(parts.resource)) + "/" + std::string(session);
    return {.kind = CallerKind::role_session,
            .account = std::string(parts.account),
            .arn = sts_arn(parts.partition, parts.account, name),
            .source_arn = std::string(role_arn),
            .id = std::string(role_id) + ":" + std::string(session)};
}

Caller federated_user(std::string_view source_arn, std::string_view name) {
    auto parts = split_arn(source_arn).value_or(Arn{});
    return {.kind = CallerKind::federated_user,
            .account = std::string(parts.account),
            .arn = sts_arn(parts.partition, parts.account, "federated-user/" + std::string(name)),
            .source_arn = std::string(source_arn),
            .id = std::string(parts.account) + ":" + std::string(name)};
}

Caller web_identity(std::string_view provider) {
    return {.kind = CallerKind::web_identity, .provider = std::string(provider)};
}

Caller service(std::string_view name) {
    return {.kind = CallerKind::service, .provider = std::string(name)};
}

std::string_view caller_kind_name(CallerKind kind) {
    switch (kind) {
        case CallerKind::anonymous: return "an anonymous caller";
        case CallerKind::root: return "the root user of an account";
        case CallerKind::user: return "an IAM user";
        case CallerKind::role_session: return "a session of a role";
        case CallerKind::federated_user: return "a federated user";
        case CallerKind::web_identity: return "the holder of a web identity token";
        case CallerKind::service: return "a service of AWS";
    }
    return "a caller";
}

bool is_without_account(const Caller& caller) {
    return caller.kind == CallerKind::anonymous || caller.kind == CallerKind::web_identity ||
           caller.kind == CallerKind::service;
}

}  // namespace integreat::policy
