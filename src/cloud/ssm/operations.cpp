// SPDX-License-Identifier: Apache-2.0
#include "cloud/ssm/operations.h"

#include <algorithm>

#include <boost/json/array.hpp>

#include "base/text/ascii.h"
#include "cloud/aws/auth/authorize.h"
#include "cloud/aws/protocol/json_body.h"
#include "cloud/aws/protocol/protocol.h"
#include "cloud/ssm/ssm.h"

namespace integreat::ssm {

namespace json = boost::json;
using cloud::AwsError;
using cloud::AwsResult;
using cloud::json_result;
using cloud::OperationContext;
using cloud::OperationResult;
using cloud::parse_json_body;
using cloud::Signing;

namespace {

AwsResult<> require_permission(Ssm& ssm, OperationContext& context, const std::string& name) {
    return cloud::authorize(context, {.action = "ssm:" + std::string(context.operation->doc.name),
                                      .resource = ssm.make_arn(name)});
}

AwsError not_found(std::string message) {
    return {.status = 400, .code = "ParameterNotFound", .message = std::move(message)};
}

AwsResult<std::string> required_name(const json::object& body) {
    auto name = TRY(cloud::required_text(body, "Name", 1'011));
    auto valid = std::ranges::all_of(
        name, [](unsigned char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-' || c == '/'; });
    if (valid) return name;
    return cloud::validation_error(
        "Parameter name must be a fully qualified name: only letters, digits and the "
        "symbols . - _ / are allowed.");
}

// The value of a SecureString is hidden unless WithDecryption is set.
json::object to_json(const Ssm& ssm, const Parameter& parameter, bool decrypted) {
    bool hidden = parameter.type == "SecureString" && !decrypted;
    return {{"Name", parameter.name},
            {"Type", parameter.type},
            {"Value", hidden ? "(SecureString: set WithDecryption)" : parameter.value},
            {"Version", parameter.version},
            {"LastModifiedDate", static_cast<double>(unix_seconds(parameter.modified))},
            {"ARN", ssm.make_arn(parameter.name)},
            {"DataType", "text"}};
}

OperationResult put_parameter(Ssm& ssm, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto name = TRY(required_name(body));
    Parameter parameter{.name = std::move(name), .modified = ssm.clock.now()};
    TRY(require_permission(ssm, context, parameter.name));
    parameter.value = TRY(cloud::required_text(body, "Value", value_bytes_max));
    parameter.description = TRY(cloud::optional_text(body, "Description", 1'024));
    parameter.type = TRY(cloud::optional_text(body, "Type"));
    bool overwrite = TRY(cloud::optional_flag(body, "Overwrite", false));
    if (parameter.type.empty()) {
        auto existing = ssm.find(parameter.name);
        parameter.type = existing ? existing->type : "String";
    }
    if (parameter.type != "String" && parameter.type != "StringList" && parameter.type != "SecureString") {
        return cloud::validation_error(
            "1 validation error detected: Value '" + parameter.type +
            "' at 'type' failed to satisfy constraint: Member must satisfy enum value "
            "set: [SecureString, StringList, String]");
    }
    auto version = TRY(ssm.put(std::move(parameter), overwrite));
    return json_result(context, {{"Version", version}, {"Tier", "Standard"}});
}

OperationResult get_parameter(Ssm& ssm, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto name = TRY(required_name(body));
    TRY(require_permission(ssm, context, name));
    auto decrypted = TRY(cloud::optional_flag(body, "WithDecryption", false));
    auto parameter = ssm.find(name);
    if (!parameter) return not_found("Parameter " + name + " not found.");
    return json_result(context, {{"Parameter", to_json(ssm, *parameter, decrypted)}});
}

OperationResult get_parameters(Ssm& ssm, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto decrypted = TRY(cloud::optional_flag(body, "WithDecryption", false));
    const auto* names = TRY(cloud::optional_array(body, "Names"));
    if (!names || names->empty() || names->size() > 10)
        return cloud::validation_error("Names must be 1 to 10 names.");
    json::array found, invalid;
    for (const auto& name : *names) {
        if (!name.is_string()) return cloud::validation_error("Names must be strings.");
        std::string text(name.get_string());
        TRY(require_permission(ssm, context, text));
        if (auto parameter = ssm.find(text)) {
            found.push_back(to_json(ssm, *parameter, decrypted));
        } else {
            invalid.push_back(name);
        }
    }
    return json_result(context,
                       {{"Parameters", std::move(found)}, {"InvalidParameters", std::move(invalid)}});
}

OperationResult get_parameters_by_path(Ssm& ssm, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto path = TRY(cloud::required_text(body, "Path", 1'011));
    TRY(require_permission(ssm, context, path));
    auto recursive = TRY(cloud::optional_flag(body, "Recursive", false));
    auto decrypted = TRY(cloud::optional_flag(body, "WithDecryption", false));
    json::array found;
    for (const auto& parameter : ssm.list_below(path, recursive))
        found.push_back(to_json(ssm, parameter, decrypted));
    return json_result(context, {{"Parameters", std::move(found)}});
}

OperationResult delete_parameter(Ssm& ssm, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto name = TRY(required_name(body));
    TRY(require_permission(ssm, context, name));
    if (!TRY(ssm.remove(name))) return not_found("Parameter " + name + " not found.");
    return json_result(context, {});
}

constexpr const char* checks = "signature; ssm: permission on the parameter's ARN";

constexpr cloud::OperationEntry<Ssm> table[] = {
    {{"PutParameter",
      "String, StringList and SecureString, up to 8 KiB; versions are counted, old ones are not kept.",
      checks},
     Signing::required,
     put_parameter},
    {{"GetParameter", "The newest version.", checks}, Signing::required, get_parameter},
    {{"GetParameters", "Up to ten names.", checks}, Signing::required, get_parameters},
    {{"GetParametersByPath", "All, without paging.", checks}, Signing::required, get_parameters_by_path},
    {{"DeleteParameter", "By name.", checks}, Signing::required, delete_parameter},
};

}  // namespace

cloud::Api api(Ssm& ssm) {
    return {.name = "ssm",
            .title = "AWS Systems Manager",
            .signing_name = "ssm",
            .protocol = cloud::Protocol::json,
            .target_prefix = "AmazonSSM",
            .operations = cloud::bind<Ssm>(ssm, table)};
}

std::vector<cloud::OperationDoc> operations() {
    std::vector<cloud::OperationDoc> all;
    for (const auto& operation : table)
        all.push_back(operation.doc);
    return all;
}

}  // namespace integreat::ssm
