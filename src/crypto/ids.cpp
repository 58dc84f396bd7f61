// SPDX-License-Identifier: Apache-2.0
#include "crypto/ids.h"

#include <array>

#include "crypto/encoding.h"

namespace integreat::crypto {

namespace {

void write_base32(char* to, std::size_t digits, std::uint64_t number) {
    static constexpr std::string_view letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for (std::size_t i = digits; i-- > 0; number >>= 5)
        to[i] = letters[number & 31];
}

}  // namespace

std::string random_token(Random& random, std::size_t bytes) {
    std::string random_bytes(bytes, '\0');
    random.fill(std::as_writable_bytes(std::span(random_bytes)));
    return base64url_encode(random_bytes);
}

std::string make_ulid(Time now, Random& random) {
    std::array<std::uint64_t, 2> random_bits{};
    random.fill(std::as_writable_bytes(std::span(random_bits)));
    std::string text(ulid_length, '\0');
    write_ulid(text.data(), now, random_bits[0], random_bits[1]);
    return text;
}

void write_ulid(char* to, Time now, std::uint64_t high, std::uint64_t low) {
    auto ms = std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch().count();
    write_base32(to, 10, static_cast<std::uint64_t>(ms));
    write_base32(to + 10, 8, high);
    write_base32(to + 18, 8, low);
}

std::string make_uuid(Random& random) {
    std::array<std::byte, 16> bytes;
    random.fill(bytes);
    bytes[6] = (bytes[6] & std::byte(0x0F)) | std::byte(0x40);
    bytes[8] = (bytes[8] & std::byte(0x3F)) | std::byte(0x80);
    auto text = hex_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    for (std::size_t at : {8u, 13u, 18u, 23u})
        text.insert(at, "-");
    return text;
}

}  // namespace integreat::crypto
