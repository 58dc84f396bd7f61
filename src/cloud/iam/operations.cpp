// SPDX-License-Identifier: Apache-2.0
#include "cloud/iam/operations.h"

#include "cloud/aws/auth/authorize.h"
#include "cloud/aws/protocol/protocol.h"

namespace integreat::iam {

std::string make_arn(const Iam& iam, std::string_view kind, std::string_view path, std::string_view name) {
    return "arn:aws:iam::" + iam.account() + ":" + std::string(kind) + std::string(path) + std::string(name);
}

AwsResult<> require_permission(OperationContext& context, const std::string& arn) {
    return cloud::authorize(context,
                            {.action = "iam:" + std::string(context.operation->doc.name), .resource = arn});
}

AwsResult<PolicyText> parse_policy(std::string_view text, policy::DocumentKind kind, std::size_t max_bytes) {
    auto parsed = policy::validate_document(text, kind, {.max_bytes = max_bytes});
    if (parsed.good()) {
        return PolicyText{std::string(text),
                          std::make_shared<const policy::Document>(std::move(parsed.document))};
    }
    const auto& invalid = policy::first_aws_error(parsed.errors);
    if (invalid.kind == policy::ErrorKind::too_long) return limit_exceeded(invalid.aws_message);
    AwsError error{.status = 400, .code = "MalformedPolicyDocument", .message = invalid.aws_message};
    error.cause = invalid.pointer + ": " + invalid.message;
    return error;
}

AwsResult<std::string> parse_path(const OperationContext& context) {
    auto path =
        TRY(optional_parameter(context, "Path", {.min_length = 0, .max_length = 512, .is_name = false}));
    if (path.empty()) return std::string("/");
    if (path.front() == '/' && path.back() == '/') return path;
    return invalid(
        "The specified value for path is invalid. It must begin and end with / and contain only "
        "alphanumeric characters and/or / characters.");
}

AwsResult<std::shared_ptr<const User>> find_user(const Directory& directory, std::string_view name) {
    if (auto user = find(directory.users, name)) return user;
    return no_such_entity("The user with name " + std::string(name) + " cannot be found.");
}

AwsResult<std::shared_ptr<const Role>> find_role(const Directory& directory, std::string_view name) {
    if (auto role = find(directory.roles, name)) return role;
    return no_such_entity("The role with name " + std::string(name) + " cannot be found.");
}

std::string member_list_xml(std::string_view name, const std::vector<std::string>& members) {
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

std::vector<cloud::OperationDoc> operations() {
    std::vector<cloud::OperationDoc> all;
    for (auto table : tables()) {
        for (const auto& operation : table)
            all.push_back(operation.doc);
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
