// SPDX-License-Identifier: Apache-2.0
#include "identity/tokens/signing_keys.h"

#include <algorithm>
#include <charconv>

#include <boost/json.hpp>

#include "base/text/ascii.h"
#include "crypto/certificate.h"
#include "crypto/encoding.h"
#include "json/value/parse.h"

namespace integreat::identity {

namespace {

constexpr std::size_t max_body_bytes = 256 * 1024;
constexpr std::size_t max_keys = 100;

std::string_view find_text(const boost::json::object& object, std::string_view name) {
    return json::find_string(object, name).value_or("");
}

Result<SigningKey> parse_certificate_key(std::string_view id, const boost::json::value& pem) {
    if (!pem.is_string()) return Error{Fault::invalid, "not a string with a certificate", ""};
    auto certificate = TRY(crypto::parse_certificate(pem.get_string()));
    return SigningKey{std::string(id), std::move(certificate.key), certificate.not_after};
}

Result<SigningKey> parse_jwk(const boost::json::object& jwk) {
    auto use = find_text(jwk, "use"), algorithm = find_text(jwk, "alg");
    if (find_text(jwk, "kty") != "RSA") return Error{Fault::invalid, "\"kty\" is not RSA", ""};
    if (!use.empty() && use != "sig") return Error{Fault::invalid, "\"use\" is not sig", ""};
    if (!algorithm.empty() && algorithm != "RS256") return Error{Fault::invalid, "\"alg\" is not RS256", ""};
    // RFC 7517 section 4.3: the operations for which the key may be used.
    if (const auto* operations = jwk.if_contains("key_ops")) {
        const auto* list = operations->if_array();
        bool verifies = list && std::ranges::find(*list, boost::json::value("verify")) != list->end();
        if (!verifies) return Error{Fault::invalid, "\"key_ops\" does not include verify", ""};
    }
    auto modulus = crypto::base64url_decode(find_text(jwk, "n"));
    auto exponent = crypto::base64url_decode(find_text(jwk, "e"));
    if (!modulus || !exponent) return Error{Fault::invalid, "\"n\" or \"e\" is not base64url", ""};
    return SigningKey{std::string(find_text(jwk, "kid")),
                      TRY(crypto::RsaPublicKey::from_numbers(*modulus, *exponent))};
}

void add_key(SigningKeys& keys, std::string_view id, Result<SigningKey> key) {
    if (key && (id.empty() || id.size() > max_key_id_bytes))
        key = Error{Fault::invalid, "no valid key ID", ""};
    if (key && keys.find(id)) key = Error{Fault::invalid, "the key ID is repeated", ""};
    if (!key) {
        keys.unusable.push_back(std::string(id.substr(0, max_key_id_bytes)) + ": " + key.error().message);
        return;
    }
    auto position = std::ranges::lower_bound(keys.all, id, {}, &SigningKey::id);
    keys.all.insert(position, *std::move(key));
}

}  // namespace

const SigningKey* SigningKeys::find(std::string_view id) const {
    auto found = std::ranges::lower_bound(all, id, {}, &SigningKey::id);
    return found != all.end() && found->id == id ? &*found : nullptr;
}

Result<SigningKeys> parse_signing_keys(std::string_view body) {
    auto document = json::parse_object(body, {.max_bytes = max_body_bytes, .depth_max = 8});
    if (!document) return Error{Fault::unavailable, "the key set cannot be read", document.error().message};
    const auto* listed = document->if_contains("keys");
    const auto* jwks = listed ? listed->if_array() : nullptr;
    if ((jwks ? jwks->size() : document->size()) > max_keys) {
        return Error{Fault::unavailable, "the key set cannot be read", "more than 100 keys"};
    }
    SigningKeys keys;
    if (jwks) {
        for (const auto& jwk : *jwks) {
            const auto* object = jwk.if_object();
            if (object) add_key(keys, find_text(*object, "kid"), parse_jwk(*object));
            if (!object) add_key(keys, "", Error{Fault::invalid, "not a JSON object", ""});
        }
    } else {
        for (const auto& [id, pem] : *document)
            add_key(keys, id, parse_certificate_key(id, pem));
    }
    if (keys.all.empty()) {
        std::string reason = "no usable key";
        for (const auto& entry : keys.unusable)
            reason += "; " + entry;
        return Error{Fault::unavailable, "the key set cannot be read", reason.substr(0, 1'000)};
    }
    return keys;
}

std::optional<std::chrono::seconds> freshness_lifetime(const http::Headers& headers) {
    auto number = [](std::string_view text) -> std::optional<std::int64_t> {
        std::int64_t value = 0;
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end == text.data() || value < 0) return std::nullopt;
        return value;
    };
    auto control = headers.value("Cache-Control");
    for (std::size_t start = 0; start < control.size();) {
        auto end = std::min(control.find(',', start), control.size());
        auto directive = control.substr(start, end - start);
        directive.remove_prefix(std::min(directive.find_first_not_of(" \t"), directive.size()));
        constexpr std::string_view name = "max-age=";
        if (iequals(directive.substr(0, name.size()), name)) {
            auto age = number(headers.value("Age")).value_or(0);
            auto lifetime = number(directive.substr(name.size()));
            if (lifetime)
                return std::chrono::seconds(std::max<std::int64_t>(*lifetime - std::min(age, *lifetime), 0));
        }
        start = end + 1;
    }
    return std::nullopt;
}

}  // namespace integreat::identity
