// SPDX-License-Identifier: Apache-2.0
#include "crypto/random_text.h"

#include <array>

#include "crypto/encoding.h"

namespace integreat::crypto {

namespace {

constexpr std::size_t ulid_length = 26;

void append_ulid(std::string& text, Time now, Random& random) {
    static constexpr std::string_view letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    std::array<std::byte, 10> noise;
    random.fill(noise);
    auto millis = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count());
    for (int shift = 45; shift >= 0; shift -= 5)
        text += letters[(millis >> shift) & 31];
    for (std::size_t half = 0; half < noise.size(); half += 5) {
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < 5; ++i)
            bits = (bits << 8) | std::to_integer<std::uint64_t>(noise[half + i]);
        for (int shift = 35; shift >= 0; shift -= 5)
            text += letters[(bits >> shift) & 31];
    }
}

}  // namespace

std::string random_token(Random& random, std::size_t bytes) {
    std::string noise(bytes, '\0');
    random.fill(std::as_writable_bytes(std::span(noise)));
    return base64url_encode(noise);
}

std::string make_ulid(Time now, Random& random) {
    std::string text;
    text.reserve(ulid_length);
    append_ulid(text, now, random);
    return text;
}

RequestId make_request_id(const Clock& clock, Random& random) {
    std::string text;
    text.reserve(4 + ulid_length);
    text += "req_";
    append_ulid(text, clock.now(), random);
    return {std::move(text)};
}

}  // namespace integreat::crypto
