// SPDX-License-Identifier: Apache-2.0
// Forged, altered and foreign tokens: each must be failure, with the correct problem type.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "identity/testing/token_fixture.h"
#include "identity/tokens/firebase_tokens.h"

namespace integreat::identity {
namespace {

using namespace identity::testing;
using ::testing::HasSubstr;

std::string outcome(std::string_view sent, const SigningKeys& keys = signing_keys()) {
    auto result = verify_firebase_token(sent, keys, projects(), {}, from_unix_seconds(now_seconds));
    if (auto* failure = std::get_if<AuthFailure>(&result)) return std::string(http::to_slug(failure->type));
    return std::holds_alternative<UnknownKey>(result) ? "unknown key" : "accepted";
}

std::string payload() {
    return boost::json::serialize(claims());
}

std::string unsigned_text(std::string_view header, std::string_view claims_text) {
    return crypto::base64url_encode(header) + "." + crypto::base64url_encode(claims_text) + ".";
}

TEST(TokenAttack, AlgorithmNone) {
    for (std::string_view algorithm : {"none", "None", "NONE", "nOnE", ""}) {
        auto header = R"({"alg":")" + std::string(algorithm) + R"(","kid":"key-0"})";
        EXPECT_EQ(outcome(unsigned_text(header, payload())), "token-algorithm");
        EXPECT_EQ(outcome(signed_text(header, payload())), "token-algorithm");
    }
    EXPECT_EQ(outcome(unsigned_text(R"({"typ":"JWT","kid":"key-0"})", payload())), "token-algorithm");
    EXPECT_EQ(outcome(unsigned_text(R"({"alg":"RS256","kid":"key-0"})", payload())), "token-signature");
}

TEST(TokenAttack, PublicKeyAsHmacSecret) {
    auto text = crypto::base64url_encode(R"({"alg":"HS256","kid":"key-0"})") + "." +
                crypto::base64url_encode(payload());
    auto code = crypto::hmac_sha256(signing_key(0).public_key().to_pem(), text);
    EXPECT_EQ(outcome(text + "." + crypto::base64url_encode(crypto::as_view(code))), "token-algorithm");
    auto claimed = crypto::base64url_encode(R"({"alg":"RS256","kid":"key-0"})") + "." +
                   crypto::base64url_encode(payload());
    EXPECT_EQ(outcome(claimed + "." + crypto::base64url_encode(crypto::as_view(code))), "token-signature");
}

TEST(TokenAttack, OtherAlgorithmsOfTheSameKey) {
    for (std::string_view algorithm : {"RS384", "RS512", "PS256", "ES256", "rs256", "RS256 ", "EdDSA"}) {
        EXPECT_EQ(
            outcome(signed_text(R"({"kid":"key-0","alg":")" + std::string(algorithm) + "\"}", payload())),
            "token-algorithm");
    }
    EXPECT_EQ(outcome(signed_text(R"({"kid":"key-0","alg":["RS256"]})", payload())), "token-algorithm");
}

TEST(TokenAttack, ForeignKey) {
    EXPECT_EQ(outcome(crypto::sign_jwt(claims(), "key-0", signing_key(1))), "token-signature");
    EXPECT_EQ(outcome(crypto::sign_jwt(claims(), "key-1", signing_key(1))), "unknown key");
}

TEST(TokenAttack, KeyInTheHeader) {
    auto own = signing_key(1).public_key();
    auto jwk = R"({"kty":"RSA","n":")" + crypto::base64url_encode(own.modulus()) + R"(","e":"AQAB"})";
    for (const auto& extra :
         {R"("jwk":)" + jwk, std::string(R"("jku":"https://evil.example/jwks")"),
          std::string(R"("x5u":"https://evil.example/x5u")"), std::string(R"("x5c":["MII="])")}) {
        EXPECT_EQ(outcome(signed_text(R"({"alg":"RS256","kid":"key-0",)" + extra + "}", payload())),
                  "token-malformed");
    }
}

TEST(TokenAttack, KeyIdsThatArePathsOrQueries) {
    for (std::string_view id : {"../../../../dev/null", "key-0/../key-0", "' OR '1'='1", "key-0\\u0000",
                                "KEY-0", "https://evil.example/k", "key-0 ", "|id"}) {
        EXPECT_EQ(outcome(signed_text(R"({"alg":"RS256","kid":")" + std::string(id) + "\"}", payload())),
                  "unknown key");
    }
    for (std::string_view id : {"\"\"", "5", "null", "[\"key-0\"]", "{\"key-0\":1}"}) {
        EXPECT_EQ(outcome(signed_text(R"({"alg":"RS256","kid":)" + std::string(id) + "}", payload())),
                  "token-malformed");
    }
    EXPECT_EQ(outcome(signed_text(R"({"alg":"RS256","kid":")" + std::string(129, 'k') + "\"}", payload())),
              "token-malformed");
    EXPECT_EQ(outcome(signed_text(R"({"alg":"RS256"})", payload())), "token-malformed");
}

TEST(TokenAttack, RepeatedNames) {
    EXPECT_EQ(outcome(signed_text(R"({"alg":"none","alg":"RS256","kid":"key-0"})", payload())),
              "token-malformed");
    EXPECT_EQ(outcome(signed_text(R"({"alg":"RS256","kid":"x","kid":"key-0"})", payload())),
              "token-malformed");
    for (std::string_view extra :
         {R"("sub":"eve")", R"("\u0073ub":"eve")", R"("aud":"x")", R"("role":"admin")", R"("exp":1)"}) {
        auto text = payload();
        text.insert(1, std::string(extra) + ",");
        EXPECT_EQ(outcome(signed_text(R"({"alg":"RS256","kid":"key-0"})", text)), "token-malformed") << extra;
    }
}

TEST(TokenAttack, UnicodeInNamesAndValues) {
    auto header = R"({"alg":"RS256","kid":"key-0"})";
    EXPECT_EQ(outcome(signed_text(header, R"({"sub":"\ud800"})")), "token-malformed");
    EXPECT_EQ(outcome(signed_text(header, "{\"sub\":\"\xC0\xAF\"}")), "token-malformed");
    EXPECT_EQ(outcome(signed_text(std::string("\xEF\xBB\xBF") + header, payload())), "token-malformed");
    EXPECT_EQ(outcome(signed_text("{\"\xD0\xB0lg\":\"RS256\",\"kid\":\"key-0\"}", payload())),
              "token-algorithm");
    EXPECT_EQ(outcome(signed_text("{\"alg\":\"RS\xEF\xBC\x92\x35\x36\",\"kid\":\"key-0\"}", payload())),
              "token-algorithm");  // A full-width digit.
}

TEST(TokenAttack, OtherKindsOfTokens) {
    EXPECT_EQ(outcome(signed_text(R"({"alg":"RS256","kid":"key-0","typ":"at+jwt"})", payload())),
              "token-malformed");
    EXPECT_EQ(outcome(signed_text(R"({"alg":"RS256","kid":"key-0","typ":5})", payload())), "token-malformed");
    EXPECT_EQ(outcome(signed_text(R"({"alg":"RS256","kid":"key-0","typ":"jwt"})", payload())), "accepted");
    EXPECT_EQ(outcome(signed_text(R"({"alg":"RS256","kid":"key-0","crit":["b64"],"b64":false})", payload())),
              "token-malformed");
}

TEST(TokenAttack, SignaturesOfOtherLengths) {
    auto valid = token();
    auto text = valid.substr(0, valid.rfind('.') + 1);
    auto signature = *crypto::base64url_decode(valid.substr(valid.rfind('.') + 1));
    for (const auto& changed :
         {signature.substr(1), signature.substr(0, 255), '\0' + signature, signature + '\0',
          signature + signature, std::string(256, '\0'), std::string(1, '\0'), std::string()}) {
        EXPECT_EQ(outcome(text + crypto::base64url_encode(changed)), "token-signature") << changed.size();
    }
}

TEST(TokenAttack, TokensOfAnySizeAndDepth) {
    auto huge = claims_with("x", std::string(10'000, 'x'));
    EXPECT_EQ(outcome(token(huge)), "token-too-large");
    EXPECT_EQ(outcome(std::string(1'000'000, 'a')), "token-too-large");
    auto deep = payload();
    deep.insert(1, R"("x":)" + std::string(1'000, '[') + std::string(1'000, ']') + ",");
    EXPECT_EQ(outcome(signed_text(R"({"alg":"RS256","kid":"key-0"})", deep)), "token-malformed");
    auto full = claims();
    while (token(full).size() < 8'000)
        full["x" + std::to_string(full.size())] = 1;
    EXPECT_EQ(outcome(token(full)), "token-malformed");  // More names than an object may have.
    auto filled = claims_with("x", std::string(4'500, 'x'));
    EXPECT_EQ(outcome(token(filled)), "accepted");
}

TEST(TokenAttack, TokensTruncatedAtAnyByte) {
    auto valid = token();
    ASSERT_EQ(outcome(valid), "accepted");
    for (std::size_t length = 0; length < valid.size(); ++length) {
        EXPECT_NE(outcome(std::string_view(valid).substr(0, length)), "accepted") << length;
    }
}

TEST(TokenAttack, AnySingleByteChanged) {
    auto valid = token();
    for (std::size_t i = 0; i < valid.size(); ++i) {
        auto changed = valid;
        // All other values for some bytes and a few selected ones for each: a neighbour letter, a flipped
        // bit, base64's other letters, a dot, a NUL.
        for (int other = 0; other < 256; other += i % 64 == 0 ? 1 : 51) {
            changed[i] = static_cast<char>(other);
            if (changed[i] == valid[i]) continue;
            EXPECT_NE(outcome(changed), "accepted") << "byte " << i << " is " << other;
        }
        for (char other :
             {static_cast<char>(valid[i] ^ 1), static_cast<char>(valid[i] ^ 0x20), '.', '=', '-', '+'}) {
            changed[i] = other;
            if (changed[i] == valid[i]) continue;
            EXPECT_NE(outcome(changed), "accepted") << "byte " << i << " is " << int(other);
        }
    }
}

TEST(TokenAttack, AnyByteAddedOrRemoved) {
    auto valid = token();
    for (std::size_t i = 0; i <= valid.size(); ++i) {
        for (char extra : {'A', '.', '=', ' ', '\0'}) {
            auto longer = valid;
            longer.insert(i, 1, extra);
            EXPECT_NE(outcome(longer), "accepted") << i;
        }
        if (i == valid.size()) break;
        auto shorter = valid;
        shorter.erase(i, 1);
        EXPECT_NE(outcome(shorter), "accepted") << i;
    }
}

TEST(TokenAttack, PartsOfTwoTokens) {
    auto ann = token(), eve = token(claims_with("sub", "eve"));
    auto signature = [](const std::string& text) { return text.substr(text.rfind('.')); };
    auto text = [](const std::string& whole) { return whole.substr(0, whole.rfind('.')); };
    EXPECT_EQ(outcome(text(eve) + signature(ann)), "token-signature");
    EXPECT_EQ(outcome(ann + signature(eve)), "token-malformed");
}

TEST(TokenAttack, NothingIsAcceptedWithoutKeysOrProjects) {
    EXPECT_EQ(outcome(token(), SigningKeys{}), "unknown key");
    auto result =
        verify_firebase_token(token(), signing_keys(), Projects{}, {}, from_unix_seconds(now_seconds));
    ASSERT_TRUE(std::holds_alternative<AuthFailure>(result));
    EXPECT_EQ(std::get<AuthFailure>(result).type, http::ProblemType::token_audience);
    auto nameless = Projects{.all = {{{"campus"}, ""}}, .generation = 1};
    auto blank = claims_with("aud", "");
    blank["iss"] = "https://securetoken.google.com/";
    result =
        verify_firebase_token(token(blank), signing_keys(), nameless, {}, from_unix_seconds(now_seconds));
    EXPECT_TRUE(std::holds_alternative<AuthFailure>(result));
}

}  // namespace
}  // namespace integreat::identity
