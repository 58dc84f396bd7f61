// SPDX-License-Identifier: Apache-2.0
#include "policy/document/operand.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include <arpa/inet.h>

#include "base/text/ascii.h"

namespace integreat::policy {

namespace {

template <class Number>
std::optional<Number> parse_whole(std::string_view text) {
    Number number{};
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

int sextet(char c) {
    if (is_upper(c)) return c - 'A';
    if (is_lower(c)) return c - 'a' + 26;
    if (is_digit(c)) return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Converts ::ffff:a.b.c.d to a.b.c.d (RFC 4291 section 2.5.5.2), which a dual-stack listener reports.
void unmap(Network& network) {
    static constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (network.bits != 128 || network.prefix < 96) return;
    if (!std::equal(mapped.begin(), mapped.end(), network.address.begin())) return;
    std::copy(network.address.begin() + 12, network.address.end(), network.address.begin());
    std::fill(network.address.begin() + 4, network.address.end(), std::uint8_t(0));
    network.bits = 32;
    network.prefix -= 96;
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
    if (text.size() > 1 && text[0] == '+') text.remove_prefix(1);
    auto number = parse_whole<double>(text);
    return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<Time> parse_date(std::string_view text) {
    constexpr std::int64_t seconds_max = 253'402'300'799;  // End of the year 9999.
    bool is_year = text.size() == 4;
    if (is_digits(text) && !is_year) {
        auto seconds = parse_whole<std::int64_t>(text);
        if (!seconds || *seconds > seconds_max) return std::nullopt;
        return from_unix_seconds(*seconds);
    }
    std::string whole(text);
    if (text.size() == 4) whole += "-01";
    if (text.size() == 4 || text.size() == 7) whole += "-01";
    if (whole.size() == 10) whole += "T00:00:00Z";
    // Without seconds the offset follows the minutes: 2026-11-22T08:15Z.
    if (whole.size() > 16 && whole[10] == 'T' && whole[16] != ':') whole.insert(16, ":00");
    if (whole.size() > 40) return std::nullopt;
    auto time = parse_rfc3339(whole);
    if (!time) return std::nullopt;
    return *time;
}

std::optional<bool> parse_boolean(std::string_view text) {
    auto lowered = to_lower(text.substr(0, 6));
    if (lowered == "true") return true;
    if (lowered == "false") return false;
    return std::nullopt;
}

std::optional<std::string> parse_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
        ++padding;
    std::string bytes;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        int value = i + padding < text.size() ? sextet(text[i]) : 0;
        if (value < 0) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        if (i % 4 != 3) continue;
        for (int shift = 16; shift >= 0; shift -= 8)
            bytes += static_cast<char>(bits >> shift & 0xff);
        bits = 0;
    }
    bytes.resize(bytes.size() - padding);
    return bytes;
}

std::optional<Network> parse_network(std::string_view text) {
    auto slash = text.find('/');
    std::string address(text.substr(0, slash));
    Network network;
    if (inet_pton(AF_INET, address.c_str(), network.address.data()) != 1) {
        if (inet_pton(AF_INET6, address.c_str(), network.address.data()) != 1) return std::nullopt;
        network.bits = network.prefix = 128;
    }
    if (address.find('\0') != std::string::npos) return std::nullopt;
    if (slash != std::string_view::npos) {
        auto length = text.substr(slash + 1);
        auto prefix = is_digits(length) ? parse_whole<int>(length) : std::nullopt;
        if (!prefix || *prefix > network.bits) return std::nullopt;
        network.prefix = *prefix;
    }
    unmap(network);
    return network;
}

bool contains(const Network& network, const Network& address) {
    if (network.bits != address.bits || address.prefix < network.prefix) return false;
    auto bytes = static_cast<std::size_t>(network.prefix / 8);
    if (!std::equal(network.address.begin(), network.address.begin() + bytes, address.address.begin()))
        return false;
    int rest = network.prefix % 8;
    return rest == 0 || (network.address[bytes] ^ address.address[bytes]) >> (8 - rest) == 0;
}

}  // namespace integreat::policy
