// SPDX-License-Identifier: Apache-2.0
#include "crypto/jwt.h"

#include <boost/json/serialize.hpp>

#include "crypto/encoding.h"
#include "json/value/parse.h"

namespace integreat::crypto {

namespace {

constexpr json::ParseLimits json_limits{.max_bytes = 64 * 1024, .depth_max = 16, .object_names_max = 200};

Error malformed(std::string message) {
    return {Fault::invalid, std::move(message), ""};
}

Result<boost::json::object> parse_part(std::string_view part, const char* name, std::string& bytes,
                                       const boost::json::storage_ptr& storage) {
    if (!base64url_decode_into(part, bytes)) {
        return malformed(std::string("the ") + name + " is not canonical base64url");
    }
    auto object = json::parse_object(bytes, json_limits, storage);
    if (!object)
        return malformed(std::string("the ") + name + " is not a JSON object: " + object.error().message);
    return object;
}

}  // namespace

Result<Jwt> parse_jwt(std::string_view token, const JwtLimits& limits, boost::json::storage_ptr storage) {
    if (token.size() > limits.max_bytes) {
        return malformed("the token is longer than " + std::to_string(limits.max_bytes) + " bytes");
    }
    auto first = token.find('.');
    auto second = first == token.npos ? token.npos : token.find('.', first + 1);
    if (second == token.npos || token.find('.', second + 1) != token.npos) {
        return malformed("a token consists of three parts separated by dots");
    }
    std::string bytes;
    auto header = TRY(parse_part(token.substr(0, first), "header", bytes, storage));
    if (header.contains("crit")) return malformed("the header has \"crit\", and no extension is supported");
    auto payload = TRY(parse_part(token.substr(first + 1, second - first - 1), "payload", bytes, storage));
    if (!base64url_decode_into(token.substr(second + 1), bytes)) {
        return malformed("the signature is not canonical base64url");
    }
    return Jwt{token.substr(0, second), std::move(header), std::move(payload), std::move(bytes)};
}

std::string sign_jwt(const boost::json::object& payload, const std::string& key_id,
                     const RsaPrivateKey& key) {
    boost::json::object header{{"alg", "RS256"}, {"kid", key_id}, {"typ", "JWT"}};
    auto token = base64url_encode(boost::json::serialize(header)) + "." +
                 base64url_encode(boost::json::serialize(payload));
    auto signature = key.sign_rs256(token);
    return token + "." + base64url_encode(signature);
}

}  // namespace integreat::crypto
