// SPDX-License-Identifier: Apache-2.0
#include "cloud/ssm/ssm.h"

#include "crypto/aead.h"
#include "crypto/encoding.h"

namespace integreat::ssm {

namespace json = boost::json;
using cloud::AwsError;
using cloud::Outcome;

namespace {

constexpr const char* kind = "ssm:parameter";
constexpr const char* secure = "SecureString";

std::string text_of(const json::object& object, const char* name) {
    return std::string(object.at(name).as_string());
}

}  // namespace

Result<std::unique_ptr<Ssm>> Ssm::open(cloud::Records& records, std::string region, std::string account,
                                       Secret sealing_key, const Clock& clock, Random& random) {
    std::unique_ptr<Ssm> ssm(
        new Ssm(records, std::move(region), std::move(account), std::move(sealing_key), clock, random));
    TRY(ssm->load());
    return ssm;
}

Result<> Ssm::load() {
    auto parameters = parameters_.lock();
    for (const auto& record : TRY(records_.list(kind))) {
        Parameter parameter{.name = record.name,
                            .type = text_of(record.content, "type"),
                            .value = text_of(record.content, "value"),
                            .description = text_of(record.content, "description"),
                            .version = record.content.at("version").as_int64(),
                            .modified = from_unix_seconds(record.content.at("modified").as_int64())};
        if (parameter.type == secure) {
            auto sealed = crypto::base64_decode(parameter.value);
            auto value = sealed ? crypto::open_sealed(sealing_key_, *sealed, record.name) : std::nullopt;
            if (!value) return Error{Fault::internal, "a SecureString cannot be opened", record.name};
            parameter.value = std::move(*value);
        }
        (*parameters)[record.name] = std::move(parameter);
    }
    return {};
}

std::string Ssm::arn_of(const std::string& name) const {
    return "arn:aws:ssm:" + region_ + ":" + account_ + ":parameter" + (name.starts_with('/') ? "" : "/") +
           name;
}

std::optional<Parameter> Ssm::find(const std::string& name) {
    auto parameters = parameters_.lock();
    auto found = parameters->find(name);
    return found == parameters->end() ? std::nullopt : std::optional(found->second);
}

std::vector<Parameter> Ssm::below(const std::string& path, bool recursive) {
    auto prefix = path.ends_with('/') ? path : path + "/";
    std::vector<Parameter> found;
    auto parameters = parameters_.lock();
    for (auto it = parameters->lower_bound(prefix); it != parameters->end(); ++it) {
        if (!it->first.starts_with(prefix)) break;
        if (recursive || it->first.find('/', prefix.size()) == std::string::npos) found.push_back(it->second);
    }
    return found;
}

Outcome<std::int64_t> Ssm::put(Parameter parameter, bool overwrite) {
    auto parameters = parameters_.lock();
    auto known = parameters->find(parameter.name);
    if (known != parameters->end() && !overwrite) {
        return AwsError{.status = 400,
                        .code = "ParameterAlreadyExists",
                        .message =
                            "The parameter already exists. To overwrite this value, set the overwrite option "
                            "in the request to true."};
    }
    if (known == parameters->end() && parameters->size() >= parameters_max) {
        return AwsError{.status = 400,
                        .code = "ParameterLimitExceeded",
                        .message = "You have exceeded the number of parameters for this account."};
    }
    if (known != parameters->end()) parameter.version = known->second.version + 1;
    auto stored = parameter.value;
    if (parameter.type == secure) {
        stored = crypto::base64_encode(crypto::seal(sealing_key_, parameter.value, parameter.name, random_));
    }
    const cloud::Change change[] = {{kind, parameter.name,
                                     json::object{{"type", parameter.type},
                                                  {"value", stored},
                                                  {"description", parameter.description},
                                                  {"version", parameter.version},
                                                  {"modified", unix_seconds(parameter.modified)}}}};
    if (auto saved = records_.apply(change); !saved) return cloud::from_error(saved.error());
    auto version = parameter.version;
    auto name = parameter.name;
    (*parameters)[name] = std::move(parameter);
    return version;
}

Outcome<bool> Ssm::remove(const std::string& name) {
    auto parameters = parameters_.lock();
    if (!parameters->contains(name)) return false;
    const cloud::Change change[] = {{kind, name, std::nullopt}};
    if (auto saved = records_.apply(change); !saved) return cloud::from_error(saved.error());
    parameters->erase(name);
    return true;
}

}  // namespace integreat::ssm
