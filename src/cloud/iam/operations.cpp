// SPDX-License-Identifier: Apache-2.0
#include "cloud/iam/operations.h"

#include "cloud/aws/protocol/protocol.h"

namespace integreat::iam {

std::string arn_of(const Iam& iam, std::string_view kind, std::string_view path, std::string_view name) {
    return "arn:aws:iam::" + iam.account() + ":" + std::string(kind) + std::string(path) + std::string(name);
}

Outcome<> require(Exchange& exchange, const std::string& arn) {
    return cloud::authorize(
        exchange, {.action = "iam:" + std::string(exchange.operation->about.name), .resource = arn});
}

Outcome<PolicyText> parse_policy(std::string_view text, policy::DocumentKind kind, std::size_t bytes_max) {
    auto reading = policy::read_document(text, kind, {.bytes_max = bytes_max});
    if (reading.good()) {
        return PolicyText{std::string(text),
                          std::make_shared<const policy::Document>(std::move(reading.document))};
    }
    const auto& mistake = policy::first_for_aws(reading.mistakes);
    if (mistake.complaint == policy::Complaint::too_long) return limit_exceeded(mistake.aws);
    AwsError error{.status = 400, .code = "MalformedPolicyDocument", .message = mistake.aws};
    error.cause = mistake.pointer + ": " + mistake.message;
    return error;
}

Outcome<std::string> asked_path(const Exchange& exchange) {
    auto path = TRY(optional(exchange, "Path", {.length_min = 0, .length_max = 512, .is_name = false}));
    if (path.empty()) return std::string("/");
    if (path.front() == '/' && path.back() == '/') return path;
    return invalid(
        "The specified value for path is invalid. It must begin and end with / and contain only "
        "alphanumeric characters and/or / characters.");
}

Outcome<std::shared_ptr<const User>> user_named(const Directory& directory, std::string_view name) {
    if (auto user = find(directory.users, name)) return user;
    return no_such_entity("The user with name " + std::string(name) + " cannot be found.");
}

Outcome<std::shared_ptr<const Role>> role_named(const Directory& directory, std::string_view name) {
    if (auto role = find(directory.roles, name)) return role;
    return no_such_entity("The role with name " + std::string(name) + " cannot be found.");
}

std::string member_list(std::string_view name, const std::vector<std::string>& members) {
    std::string list = "<" + std::string(name) + ">";
    for (const auto& member : members)
        list += "<member>" + member + "</member>";
    return list + "</" + std::string(name) + ">";
}

namespace {

std::vector<Table> tables() {
    return {user_operations(), role_operations(), policy_operations(), provider_operations()};
}

}  // namespace

std::vector<cloud::About> operations() {
    std::vector<cloud::About> all;
    for (auto table : tables()) {
        for (const auto& operation : table)
            all.push_back(operation.about);
    }
    return all;
}

cloud::Api api(Iam& iam) {
    cloud::Api api{.name = "iam",
                   .title = "AWS IAM",
                   .signing_name = "iam",
                   .protocol = cloud::Protocol::query,
                   .xml_namespace = "https://iam.amazonaws.com/doc/2010-05-08/"};
    for (auto table : tables()) {
        auto bound = cloud::bind(iam, table);
        std::ranges::move(bound, std::back_inserter(api.operations));
    }
    return api;
}

}  // namespace integreat::iam
