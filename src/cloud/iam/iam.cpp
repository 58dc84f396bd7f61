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

// The letters of AWS's ids: base32, without what can be mistaken.
std::string make_id(Random& random, std::string_view prefix, std::size_t length) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    std::string id(prefix);
    for (unsigned char byte : random_bytes(random, length))
        id += letters[byte & 31];
    return id;
}

Result<std::unique_ptr<Iam>> Iam::open(cloud::Records& records, std::string account, const Clock& clock,
                                       Random& random) {
    std::unique_ptr<Iam> iam(new Iam(records, std::move(account), clock, random));
    TRY(iam->load());
    TRY(iam->prepare());
    return iam;
}

Result<> Iam::load() {
    directory_.store(std::make_shared<const Directory>(TRY(load_directory(records_))));
    auto keys = TRY(records_.list(sealing_kind));
    if (keys.empty()) return {};
    auto key = crypto::base64_decode(std::string_view(keys[0].content.at("key").as_string()));
    if (!key || key->size() != crypto::aead_key_bytes) {
        return Error{Fault::internal, "the key that seals session tokens cannot be read", keys[0].name};
    }
    sealing_key_ = Secret(std::move(*key));
    return {};
}

Result<> Iam::prepare() {
    if (sealing_key_.empty()) {
        auto key = random_bytes(random_, crypto::aead_key_bytes);
        const cloud::Change made[] = {
            {sealing_kind, "1", boost::json::object{{"key", crypto::base64_encode(key)}}}};
        TRY(records_.apply(made));
        sealing_key_ = Secret(std::move(key));
    }
    if (root_key()) return {};
    auto failed = change([&](Directory& directory) {
        auto key = make_root_key(clock_, random_);
        auto id = key.id;
        directory.keys[id] = std::make_shared<const AccessKey>(std::move(key));
        return std::optional<cloud::AwsError>();
    });
    if (failed) return Error{Fault::unavailable, failed->message, failed->cause};
    return {};
}

std::shared_ptr<const AccessKey> Iam::root_key() const {
    auto now = directory();
    for (const auto& [id, key] : now->keys) {
        if (key->user.empty() && key->active) return key;
    }
    return nullptr;
}

Result<> raise_providers_quota(Iam& iam, std::size_t count) {
    if (count > providers_quota_max) {
        return Error{Fault::invalid,
                     "one AWS account holds at most " + std::to_string(providers_quota_max) +
                         " OpenID Connect providers, and " + std::to_string(count) +
                         " are needed: one per tenant's Firebase project; take some apps out",
                     ""};
    }
    auto failed = iam.change([&](Directory& directory) {
        directory.providers_quota = std::max(directory.providers_quota, count);
        return std::optional<cloud::AwsError>();
    });
    if (failed) return Error{Fault::unavailable, failed->message, failed->cause};
    return {};
}

std::optional<cloud::AwsError> Iam::change(
    const std::function<std::optional<cloud::AwsError>(Directory&)>& change) {
    auto held = changing_.lock();
    auto before = directory();
    auto after = std::make_shared<Directory>(*before);
    if (auto error = change(*after)) return error;
    auto saved = records_.apply(difference(*before, *after));
    if (!saved) return cloud::from_error(saved.error());
    directory_.store(std::move(after));
    return std::nullopt;
}

}  // namespace integreat::iam
