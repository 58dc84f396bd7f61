// SPDX-License-Identifier: Apache-2.0
#include "cloud/iam/iam.h"

#include <algorithm>

#include "cloud/iam/directory_store.h"
#include "crypto/aead.h"
#include "crypto/encoding.h"
#include "crypto/ids.h"

namespace integreat::iam {

namespace {

constexpr const char* sealing_kind = "iam:sealing-key";

std::string random_bytes(Random& random, std::size_t count) {
    std::string bytes(count, '\0');
    random.fill(std::as_writable_bytes(std::span(bytes)));
    return bytes;
}

AccessKey make_root_key(const Clock& clock, Random& random) {
    return {.id = make_id(random, "AKIA", 16),
            .secret = Secret(crypto::base64_encode(random_bytes(random, 30))),
            .user = "",
            .active = true,
            .created = clock.now()};
}

}  // namespace

// AWS ids use the base32 alphabet, which has no ambiguous characters.
std::string make_id(Random& random, std::string_view prefix, std::size_t length) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    std::string id(prefix);
    for (unsigned char byte : random_bytes(random, length))
        id += alphabet[byte & 31];
    return id;
}

Result<std::unique_ptr<Iam>> Iam::open(cloud::DocumentStore& documents, std::string account,
                                       const Clock& clock, Random& random) {
    std::unique_ptr<Iam> iam(new Iam(documents, std::move(account), clock, random));
    TRY(iam->load());
    TRY(iam->prepare());
    return iam;
}

Result<> Iam::load() {
    directory_.store(std::make_shared<const Directory>(TRY(load_directory(documents_))));
    auto keys = TRY(documents_.list(sealing_kind));
    if (keys.empty()) return {};
    auto key = crypto::base64_decode(std::string_view(keys[0].content.at("key").as_string()));
    if (!key || key->size() != crypto::aead_key_bytes) {
        return Error{Fault::internal,
                     "the encryption key of session tokens in the local cloud's data is corrupt",
                     keys[0].name};
    }
    sealing_key_ = Secret(std::move(*key));
    return {};
}

Result<> Iam::prepare() {
    if (sealing_key_.empty()) {
        auto key = random_bytes(random_, crypto::aead_key_bytes);
        const cloud::DocumentChange changes[] = {
            {sealing_kind, "1", boost::json::object{{"key", crypto::base64_encode(key)}}}};
        TRY(documents_.apply(changes));
        sealing_key_ = Secret(std::move(key));
    }
    if (root_key()) return {};
    auto created = update([&](Directory& directory) -> cloud::AwsResult<> {
        auto key = make_root_key(clock_, random_);
        auto id = key.id;
        directory.keys[id] = std::make_shared<const AccessKey>(std::move(key));
        return {};
    });
    if (!created) return Error{Fault::unavailable, created.error().message, created.error().cause};
    return {};
}

std::shared_ptr<const AccessKey> Iam::root_key() const {
    auto snapshot = directory();
    for (const auto& [id, key] : snapshot->keys) {
        if (key->user.empty() && key->active) return key;
    }
    return nullptr;
}

Result<> raise_providers_quota(Iam& iam, std::size_t count) {
    if (count > providers_quota_max) {
        return Error{Fault::invalid,
                     "an AWS account holds at most " + std::to_string(providers_quota_max) +
                         " OpenID Connect providers, but " + std::to_string(count) +
                         " are needed, one per Firebase project of a tenant; remove some apps",
                     ""};
    }
    auto raised = iam.update([&](Directory& directory) -> cloud::AwsResult<> {
        directory.providers_quota = std::max(directory.providers_quota, count);
        return {};
    });
    if (!raised) return Error{Fault::unavailable, raised.error().message, raised.error().cause};
    return {};
}

cloud::AwsResult<> Iam::update(const std::function<cloud::AwsResult<>(Directory&)>& edit) {
    auto lock = update_mutex_.lock();
    auto before = directory();
    auto after = std::make_shared<Directory>(*before);
    TRY(edit(*after));
    auto saved = documents_.apply(diff_directories(*before, *after));
    if (!saved) return cloud::to_aws_error(saved.error());
    directory_.store(std::move(after));
    return {};
}

}  // namespace integreat::iam
