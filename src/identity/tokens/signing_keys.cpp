// SPDX-License-Identifier: Apache-2.0
#include "identity/tokens/signing_keys.h"

#include <algorithm>
#include <charconv>

#include <boost/json.hpp>

#include "crypto/certificate.h"
#include "crypto/encoding.h"
#include "json/value/parse.h"

namespace integreat::identity {

namespace {

constexpr std::size_t body_bytes_max = 256 * 1024;
constexpr std::size_t keys_max = 100;
constexpr std::size_t key_id_bytes_max = 128;

std::string_view text_of(const boost::json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    const auto* text = value ? value->if_string() : nullptr;
    return text ? std::string_view(*text) : std::string_view();
}

Result<SigningKey> key_of_certificate(std::string_view id, const boost::json::value& pem) {
    if (!pem.is_string()) return Error{Fault::invalid, "not a string with a certificate", ""};
    auto certificate = TRY(crypto::parse_certificate(pem.get_string()));
    return SigningKey{std::string(id), std::move(certificate.key), certificate.not_after};
}

Result<SigningKey> key_of_jwk(const boost::json::object& jwk) {
    auto use = text_of(jwk, "use"), algorithm = text_of(jwk, "alg");
    if (text_of(jwk, "kty") != "RSA") return Error{Fault::invalid, "\"kty\" is not RSA", ""};
    if (!use.empty() && use != "sig") return Error{Fault::invalid, "\"use\" is not sig", ""};
    if (!algorithm.empty() && algorithm != "RS256") return Error{Fault::invalid, "\"alg\" is not RS256", ""};
    auto modulus = crypto::base64url_decode(text_of(jwk, "n"));
    auto exponent = crypto::base64url_decode(text_of(jwk, "e"));
    if (!modulus || !exponent) return Error{Fault::invalid, "\"n\" or \"e\" is not base64url", ""};
    return SigningKey{std::string(text_of(jwk, "kid")),
                      TRY(crypto::RsaPublicKey::from_numbers(*modulus, *exponent))};
}

void keep(SigningKeys& keys, std::string_view id, Result<SigningKey> key) {
    if (key && (id.empty() || id.size() > key_id_bytes_max))
        key = Error{Fault::invalid, "no usable key id", ""};
    if (key && keys.find(id)) key = Error{Fault::invalid, "the key id is given twice", ""};
    if (!key) {
        keys.unusable.push_back(std::string(id.substr(0, key_id_bytes_max)) + ": " + key.error().message);
        return;
    }
    auto after = std::ranges::lower_bound(keys.all, id, {}, &SigningKey::id);
    keys.all.insert(after, *std::move(key));
}

}  // namespace

const SigningKey* SigningKeys::find(std::string_view id) const {
    auto found = std::ranges::lower_bound(all, id, {}, &SigningKey::id);
    return found != all.end() && found->id == id ? &*found : nullptr;
}

Result<SigningKeys> parse_signing_keys(std::string_view body) {
    auto document = json::parse_object(body, {.bytes_max = body_bytes_max, .depth_max = 8});
    if (!document) return Error{Fault::unavailable, "the key set cannot be read", document.error().message};
    const auto* listed = document->if_contains("keys");
    const auto* jwks = listed ? listed->if_array() : nullptr;
    if ((jwks ? jwks->size() : document->size()) > keys_max) {
        return Error{Fault::unavailable, "the key set cannot be read", "more than 100 keys"};
    }
    SigningKeys keys;
    if (jwks) {
        for (const auto& jwk : *jwks) {
            const auto* object = jwk.if_object();
            if (object) keep(keys, text_of(*object, "kid"), key_of_jwk(*object));
            if (!object) keep(keys, "", Error{Fault::invalid, "not a JSON object", ""});
        }
    } else {
        for (const auto& [id, pem] : *document)
            keep(keys, id, key_of_certificate(id, pem));
    }
    if (keys.all.empty()) {
        std::string why = "no usable key";
        for (const auto& complaint : keys.unusable)
            why += "; " + complaint;
        return Error{Fault::unavailable, "the key set cannot be read", why.substr(0, 1'000)};
    }
    return keys;
}

std::optional<std::chrono::seconds> lifetime_of(const http::Headers& headers) {
    auto number = [](std::string_view text) -> std::optional<std::int64_t> {
        std::int64_t value = 0;
        auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (failure != std::errc() || end == text.data() || value < 0) return std::nullopt;
        return value;
    };
    auto control = headers.value("Cache-Control");
    for (std::size_t start = 0; start < control.size();) {
        auto end = std::min(control.find(',', start), control.size());
        auto directive = control.substr(start, end - start);
        directive.remove_prefix(std::min(directive.find_first_not_of(" \t"), directive.size()));
        constexpr std::string_view name = "max-age=";
        if (http::equal_ignoring_case(directive.substr(0, name.size()), name)) {
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
