// SPDX-License-Identifier: Apache-2.0
#include "cloud/ssm/ssm.h"

#include "crypto/aead.h"
#include "crypto/encoding.h"

namespace integreat::ssm {

namespace json = boost::json;
using cloud::AwsError;
using cloud::AwsResult;

namespace {

constexpr const char* kind = "ssm:parameter";
constexpr const char* secure = "SecureString";

std::string get_text(const json::object& object, const char* name) {
    return std::string(object.at(name).as_string());
}

}  // namespace

Result<std::unique_ptr<Ssm>> Ssm::open(cloud::DocumentStore& documents, std::string region,
                                       std::string account, Secret sealing_key, const Clock& clock,
                                       Random& random) {
    std::unique_ptr<Ssm> ssm(
        new Ssm(documents, std::move(region), std::move(account), std::move(sealing_key), clock, random));
    TRY(ssm->load());
    return ssm;
}

Result<> Ssm::load() {
    auto parameters = parameters_.lock();
    for (const auto& stored : TRY(documents_.list(kind))) {
        Parameter parameter{.name = stored.name,
                            .type = get_text(stored.content, "type"),
                            .value = get_text(stored.content, "value"),
                            .description = get_text(stored.content, "description"),
                            .version = stored.content.at("version").as_int64(),
                            .modified = from_unix_seconds(stored.content.at("modified").as_int64())};
        if (parameter.type == secure) {
            auto sealed = crypto::base64_decode(parameter.value);
            auto value = sealed ? crypto::open_sealed(sealing_key_, *sealed, stored.name) : std::nullopt;
            if (!value) return Error{Fault::internal, "a SecureString cannot be decrypted", stored.name};
            parameter.value = std::move(*value);
        }
        (*parameters)[stored.name] = std::move(parameter);
    }
    return {};
}

std::string Ssm::make_arn(const std::string& name) const {
    return "arn:aws:ssm:" + region_ + ":" + account_ + ":parameter" + (name.starts_with('/') ? "" : "/") +
           name;
}

std::optional<Parameter> Ssm::find(const std::string& name) {
    auto parameters = parameters_.lock();
    auto entry = parameters->find(name);
    return entry == parameters->end() ? std::nullopt : std::optional(entry->second);
}

std::vector<Parameter> Ssm::list_below(const std::string& path, bool recursive) {
    auto prefix = path.ends_with('/') ? path : path + "/";
    std::vector<Parameter> found;
    auto parameters = parameters_.lock();
    for (auto it = parameters->lower_bound(prefix); it != parameters->end(); ++it) {
        if (!it->first.starts_with(prefix)) break;
        if (recursive || it->first.find('/', prefix.size()) == std::string::npos) found.push_back(it->second);
    }
    return found;
}

AwsResult<std::int64_t> Ssm::put(Parameter parameter, bool overwrite) {
    auto parameters = parameters_.lock();
    auto existing = parameters->find(parameter.name);
    if (existing != parameters->end() && !overwrite) {
        return AwsError{.status = 400,
                        .code = "ParameterAlreadyExists",
                        .message =
                            "The parameter already exists. To overwrite this value, set the overwrite option "
                            "in the request to true."};
    }
    if (existing == parameters->end() && parameters->size() >= parameters_max) {
        return AwsError{.status = 400,
                        .code = "ParameterLimitExceeded",
                        .message = "You have exceeded the number of parameters for this account."};
    }
    if (existing != parameters->end()) parameter.version = existing->second.version + 1;
    auto stored_value = parameter.value;
    if (parameter.type == secure) {
        stored_value =
            crypto::base64_encode(crypto::seal(sealing_key_, parameter.value, parameter.name, random_));
    }
    const cloud::DocumentChange changes[] = {{kind, parameter.name,
                                              json::object{{"type", parameter.type},
                                                           {"value", stored_value},
                                                           {"description", parameter.description},
                                                           {"version", parameter.version},
                                                           {"modified", unix_seconds(parameter.modified)}}}};
    if (auto saved = documents_.apply(changes); !saved) return cloud::to_aws_error(saved.error());
    auto version = parameter.version;
    auto name = parameter.name;
    (*parameters)[name] = std::move(parameter);
    return version;
}

AwsResult<bool> Ssm::remove(const std::string& name) {
    auto parameters = parameters_.lock();
    if (!parameters->contains(name)) return false;
    const cloud::DocumentChange changes[] = {{kind, name, std::nullopt}};
    if (auto saved = documents_.apply(changes); !saved) return cloud::to_aws_error(saved.error());
    parameters->erase(name);
    return true;
}

}  // namespace integreat::ssm
