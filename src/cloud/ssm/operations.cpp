// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/array.hpp>

#include "cloud/aws/protocol/json_body.h"
#include "cloud/aws/protocol/protocol.h"
#include "cloud/ssm/ssm.h"

namespace integreat::ssm {

namespace json = boost::json;
using cloud::Answer;
using cloud::AwsError;
using cloud::Exchange;
using cloud::json_body;
using cloud::json_result;
using cloud::Outcome;
using cloud::Signing;

namespace {

Outcome<> require(Ssm& ssm, Exchange& exchange, const std::string& name) {
    return cloud::authorize(exchange, {.action = "ssm:" + std::string(exchange.operation->about.name),
                                       .resource = ssm.arn_of(name)});
}

AwsError not_found(std::string message) {
    return {.status = 400, .code = "ParameterNotFound", .message = std::move(message)};
}

Outcome<std::string> asked_name(const json::object& body) {
    auto name = TRY(cloud::required_text(body, "Name", 1'011));
    auto fits = std::ranges::all_of(name, [](unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
               c == '.' || c == '-' || c == '/';
    });
    if (fits) return name;
    return cloud::validation_error(
        "Parameter name must be a fully qualified name: only letters, digits and the "
        "symbols . - _ / are allowed.");
}

// A SecureString is shown sealed unless WithDecryption is asked for.
json::object to_json(const Ssm& ssm, const Parameter& parameter, bool decrypted) {
    bool hidden = parameter.type == "SecureString" && !decrypted;
    return {{"Name", parameter.name},
            {"Type", parameter.type},
            {"Value", hidden ? "(SecureString: ask WithDecryption)" : parameter.value},
            {"Version", parameter.version},
            {"LastModifiedDate", static_cast<double>(unix_seconds(parameter.modified))},
            {"ARN", ssm.arn_of(parameter.name)},
            {"DataType", "text"}};
}

Answer put_parameter(Ssm& ssm, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto name = TRY(asked_name(body));
    Parameter parameter{.name = std::move(name), .modified = ssm.clock.now()};
    TRY(require(ssm, exchange, parameter.name));
    parameter.value = TRY(cloud::required_text(body, "Value", value_bytes_max));
    parameter.description = TRY(cloud::optional_text(body, "Description", 1'024));
    parameter.type = TRY(cloud::optional_text(body, "Type"));
    bool overwrite = TRY(cloud::optional_flag(body, "Overwrite", false));
    if (parameter.type.empty()) {
        auto known = ssm.find(parameter.name);
        parameter.type = known ? known->type : "String";
    }
    if (parameter.type != "String" && parameter.type != "StringList" && parameter.type != "SecureString") {
        return cloud::validation_error(
            "1 validation error detected: Value '" + parameter.type +
            "' at 'type' failed to satisfy constraint: Member must satisfy enum value "
            "set: [SecureString, StringList, String]");
    }
    auto version = TRY(ssm.put(std::move(parameter), overwrite));
    return json_result(exchange, {{"Version", version}, {"Tier", "Standard"}});
}

Answer get_parameter(Ssm& ssm, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto name = TRY(asked_name(body));
    TRY(require(ssm, exchange, name));
    auto decrypted = TRY(cloud::optional_flag(body, "WithDecryption", false));
    auto parameter = ssm.find(name);
    if (!parameter) return not_found("Parameter " + name + " not found.");
    return json_result(exchange, {{"Parameter", to_json(ssm, *parameter, decrypted)}});
}

Answer get_parameters(Ssm& ssm, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto decrypted = TRY(cloud::optional_flag(body, "WithDecryption", false));
    const auto* names = TRY(cloud::optional_array(body, "Names"));
    if (!names || names->empty() || names->size() > 10)
        return cloud::validation_error("Names must be 1 to 10 names.");
    json::array found, invalid;
    for (const auto& name : *names) {
        if (!name.is_string()) return cloud::validation_error("Names must be strings.");
        std::string text(name.get_string());
        TRY(require(ssm, exchange, text));
        if (auto parameter = ssm.find(text)) {
            found.push_back(to_json(ssm, *parameter, decrypted));
        } else {
            invalid.push_back(name);
        }
    }
    return json_result(exchange,
                       {{"Parameters", std::move(found)}, {"InvalidParameters", std::move(invalid)}});
}

Answer get_parameters_by_path(Ssm& ssm, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto path = TRY(cloud::required_text(body, "Path", 1'011));
    TRY(require(ssm, exchange, path));
    auto recursive = TRY(cloud::optional_flag(body, "Recursive", false));
    auto decrypted = TRY(cloud::optional_flag(body, "WithDecryption", false));
    json::array found;
    for (const auto& parameter : ssm.below(path, recursive))
        found.push_back(to_json(ssm, parameter, decrypted));
    return json_result(exchange, {{"Parameters", std::move(found)}});
}

Answer delete_parameter(Ssm& ssm, Exchange& exchange) {
    auto body = TRY(json_body(exchange));
    auto name = TRY(asked_name(body));
    TRY(require(ssm, exchange, name));
    if (!TRY(ssm.remove(name))) return not_found("Parameter " + name + " not found.");
    return json_result(exchange, {});
}

constexpr const char* checks = "signature; ssm: permission on the parameter's ARN";

constexpr cloud::OperationOf<Ssm> table[] = {
    {{"PutParameter", "String, StringList and SecureString, 8 KiB; versions are counted, old ones are gone.",
      checks},
     Signing::required,
     put_parameter},
    {{"GetParameter", "The newest version.", checks}, Signing::required, get_parameter},
    {{"GetParameters", "Up to ten.", checks}, Signing::required, get_parameters},
    {{"GetParametersByPath", "All at once, without paging.", checks},
     Signing::required,
     get_parameters_by_path},
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

std::vector<cloud::About> operations() {
    std::vector<cloud::About> all;
    for (const auto& operation : table)
        all.push_back(operation.about);
    return all;
}

}  // namespace integreat::ssm
