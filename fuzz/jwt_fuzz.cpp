// SPDX-License-Identifier: Apache-2.0
// Any bytes as a token. One that can be taken apart has no other spelling, and none is ever accepted: nobody
// here holds the signing key.
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
        ASSERT(token.starts_with(jwt->signed_text));
        ASSERT(token.substr(jwt->signed_text.size() + 1) == crypto::base64url_encode(jwt->signature));
        ASSERT(!jwt->header.contains("crit"));
    }
    auto verdict = identity::verify_firebase_token(token, signing_keys(), projects, {},
                                                   from_unix_seconds(1'795'000'000));
    ASSERT(!std::holds_alternative<std::shared_ptr<const Principal>>(verdict));
    if (auto* denial = std::get_if<identity::Denial>(&verdict))
        ASSERT(!denial->type.empty() && !denial->rule.empty());
    return 0;
}
