// SPDX-License-Identifier: Apache-2.0
// An issuer of Firebase ID tokens with its own keys, and a fake of the endpoint that publishes them.
#pragma once

#include <functional>
#include <string>

#include <boost/json.hpp>

#include "crypto/certificate.h"
#include "crypto/encoding.h"
#include "crypto/jwt.h"
#include "http/transport/client.h"
#include "identity/tokens/firebase_tokens.h"
#include "identity/tokens/signing_keys.h"

namespace integreat::identity::testing {

constexpr std::int64_t now_seconds = 1'795'000'000;  // Time of a FixedClock.

// Generating a key is slow, so each test program generates few.
inline const crypto::RsaPrivateKey& signing_key(std::size_t which = 0) {
    static const std::array<crypto::RsaPrivateKey, 2> keys{*crypto::RsaPrivateKey::generate(),
                                                           *crypto::RsaPrivateKey::generate()};
    return keys.at(which);
}

inline SigningKeys signing_keys() {
    return {.all = {{"key-0", signing_key(0).public_key()}}, .unusable = {}};
}

inline Projects projects() {
    return {.all = {{{"campus"}, "campus-student-lifecycle"}, {{"teleo"}, "teleo-church-application"}},
            .generation = 1};
}

// The claims of Firebase in the token of a user of Campus.
inline boost::json::object claims() {
    return {{"name", "Ann A"},
            {"role", "registrar"},
            {"iss", "https://securetoken.google.com/campus-student-lifecycle"},
            {"aud", "campus-student-lifecycle"},
            {"auth_time", now_seconds - 100},
            {"user_id", "dOAPann"},
            {"sub", "dOAPann"},
            {"iat", now_seconds - 50},
            {"exp", now_seconds + 3'550},
            {"email", "ann@example.com"},
            {"email_verified", true},
            {"firebase",
             {{"identities", {{"email", boost::json::array{"ann@example.com"}}}},
              {"sign_in_provider", "password"}}}};
}

template <class Value>
boost::json::object claims_with(std::string_view name, const Value& value) {
    auto changed = claims();
    changed[name] = boost::json::value_from(value);
    return changed;
}

inline boost::json::object claims_without(std::string_view name) {
    auto changed = claims();
    changed.erase(name);
    return changed;
}

inline std::string token(const boost::json::object& payload = claims()) {
    return crypto::sign_jwt(payload, "key-0", signing_key(0));
}

// Signs any header and payload correctly.
inline std::string signed_text(std::string_view header, std::string_view payload) {
    auto text = crypto::base64url_encode(header) + "." + crypto::base64url_encode(payload);
    return text + "." + crypto::base64url_encode(signing_key(0).sign_rs256(text));
}

// Renders the response of Google's endpoint for these keys.
inline std::string x509_map(const std::vector<std::pair<std::string, std::size_t>>& ids,
                            Time not_after = from_unix_seconds(now_seconds + 1'000'000)) {
    FixedRandom random;
    boost::json::object map;
    for (const auto& [id, which] : ids) {
        map[id] = crypto::make_certificate(signing_key(which),
                                           {.common_name = "securetoken.system.gserviceaccount.com",
                                            .not_before = from_unix_seconds(now_seconds - 1'000),
                                            .not_after = not_after},
                                           random);
    }
    return boost::json::serialize(map);
}

// Returns a preset response and counts the fetches.
class FakeHttpClient final : public http::HttpClient {
public:
    Result<http::FullResponse> fetch(const http::ClientRequest& request) override {
        ++fetches;
        last_url = request.url;
        if (before_response) before_response();
        return response;
    }

    Result<http::FullResponse> response = http::FullResponse{};
    std::function<void()> before_response;
    std::atomic<int> fetches{0};
    std::string last_url;
};

inline http::FullResponse make_keys_response(std::string body,
                                             std::string_view cache_control = "public, max-age=3600") {
    return {.status = 200, .headers = {{"Cache-Control", cache_control}}, .body = std::move(body)};
}

}  // namespace integreat::identity::testing
