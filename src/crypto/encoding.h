// SPDX-License-Identifier: Apache-2.0
// base64 and base64url (RFC 4648 sections 4 and 5) and hexadecimal. Decoding is canonical: each byte sequence
// has exactly one encoding, so that text that was signed, compared or cached has no second spelling.
// Whitespace, foreign characters, wrong padding and non-zero trailing bits are rejected.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace integreat::crypto {

std::string base64_encode(std::string_view bytes);                   // With padding.
std::optional<std::string> base64_decode(std::string_view text);     // Padding required.
std::string base64url_encode(std::string_view bytes);                // Without padding.
std::optional<std::string> base64url_decode(std::string_view text);  // Padding rejected.
// Decodes into `bytes`, reusing its memory. Returns false for invalid text; `bytes` is then unspecified.
bool base64url_decode_into(std::string_view text, std::string& bytes);

std::string hex_encode(std::string_view bytes);                // Lower case.
std::optional<std::string> hex_decode(std::string_view text);  // Accepts both cases.

}  // namespace integreat::crypto
