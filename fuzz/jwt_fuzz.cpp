// SPDX-License-Identifier: Apache-2.0
// Parses and verifies any bytes as a token. A token that parses has no other encoding, and none is ever
// accepted, since the fuzzer has no signing key.
#include "crypto/encoding.h"
#include "crypto/jwt.h"
#include "identity/tokens/firebase_tokens.h"

using namespace integreat;

namespace {

const identity::SigningKeys& signing_keys() {
    static const identity::SigningKeys keys{
        .all = {{"key-0", crypto::RsaPrivateKey::generate()->public_key()}}, .unusable = {}};
    return keys;
}

const identity::Projects projects{.all = {{{"campus"}, "campus-student-lifecycle"}}, .generation = 1};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::string_view token(reinterpret_cast<const char*>(bytes), size);
    if (auto jwt = crypto::parse_jwt(token)) {
        ASSERT(token.starts_with(jwt->signing_input));
        ASSERT(token.substr(jwt->signing_input.size() + 1) == crypto::base64url_encode(jwt->signature));
        ASSERT(!jwt->header.contains("crit"));
    }
    auto result = identity::verify_firebase_token(token, signing_keys(), projects, {},
                                                  from_unix_seconds(1'795'000'000));
    ASSERT(!std::holds_alternative<std::shared_ptr<const Principal>>(result));
    if (auto* failure = std::get_if<identity::AuthFailure>(&result))
        ASSERT(!failure->detail.empty() && !failure->rule.empty());
    return 0;
}
