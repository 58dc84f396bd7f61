// SPDX-License-Identifier: Apache-2.0
#include "crypto/crc.h"

#include <array>
#include <bit>
#include <cstring>

namespace integreat::crypto {

namespace {

// Eight tables, to process eight bytes at a time ("slicing by 8", Kounavis and Berry 2005): table k holds the
// contribution of a byte that is followed by k more.
using Tables = std::array<std::array<std::uint64_t, 256>, 8>;

constexpr Tables tables_of(std::uint64_t polynomial) {
    Tables tables{};
    for (std::uint64_t byte = 0; byte < 256; ++byte) {
        std::uint64_t value = byte;
        for (int bit = 0; bit < 8; ++bit)
            value = (value & 1) ? (value >> 1) ^ polynomial : value >> 1;
        tables[0][byte] = value;
    }
    for (std::size_t k = 1; k < 8; ++k) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            auto before = tables[k - 1][byte];
            tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
        }
    }
    return tables;
}

struct Parameters {
    int bits;
    std::uint64_t polynomial;  // In reflected form.
    Tables tables;
};

template <int bits, std::uint64_t polynomial>
const Parameters& parameters() {
    static constexpr Parameters made{bits, polynomial, tables_of(polynomial)};
    return made;
}

const Parameters& parameters_of(Crc crc) {
    switch (crc) {
        case Crc::crc32: return parameters<32, 0xEDB88320u>();
        case Crc::crc32c: return parameters<32, 0x82F63B78u>();
        case Crc::crc64nvme: break;
    }
    return parameters<64, 0x9A6C9329AC4BC9B5u>();
}

constexpr std::uint64_t all_ones(int bits) {
    return ~std::uint64_t{0} >> (64 - bits);
}

// Returns a·b modulo the polynomial, in reflected form: the highest bit is x⁰.
std::uint64_t multiply(const Parameters& p, std::uint64_t a, std::uint64_t b) {
    std::uint64_t product = 0;
    for (std::uint64_t bit = std::uint64_t{1} << (p.bits - 1); bit != 0; bit >>= 1) {
        if (a & bit) product ^= b;
        b = (b & 1) ? (b >> 1) ^ p.polynomial : b >> 1;
    }
    return product;
}

static_assert(std::endian::native == std::endian::little);

}  // namespace

void CrcSum::update(std::string_view bytes) {
    const auto& p = parameters_of(crc_);
    const auto& t = p.tables;
    auto inverted = all_ones(p.bits);
    std::uint64_t value = value_ ^ inverted;
    while (bytes.size() >= 8) {
        std::uint64_t eight;
        std::memcpy(&eight, bytes.data(), 8);
        eight ^= value;
        value = t[7][eight & 0xff] ^ t[6][(eight >> 8) & 0xff] ^ t[5][(eight >> 16) & 0xff] ^
                t[4][(eight >> 24) & 0xff] ^ t[3][(eight >> 32) & 0xff] ^ t[2][(eight >> 40) & 0xff] ^
                t[1][(eight >> 48) & 0xff] ^ t[0][eight >> 56];
        bytes.remove_prefix(8);
    }
    for (char byte : bytes)
        value = (value >> 8) ^ t[0][(value ^ static_cast<unsigned char>(byte)) & 0xff];
    value_ = value ^ inverted;
}

std::uint64_t crc_combine(Crc crc, std::uint64_t first, std::uint64_t second, std::uint64_t second_bytes) {
    const auto& p = parameters_of(crc);
    std::uint64_t shift = std::uint64_t{1} << (p.bits - 1);   // x⁰
    std::uint64_t square = std::uint64_t{1} << (p.bits - 9);  // x⁸: one byte.
    for (; second_bytes != 0; second_bytes >>= 1) {
        if (second_bytes & 1) shift = multiply(p, square, shift);
        square = multiply(p, square, square);
    }
    return multiply(p, shift, first) ^ second;
}

std::string crc_bytes(Crc crc, std::uint64_t value) {
    int bits = parameters_of(crc).bits;
    std::string bytes;
    for (int shift = bits - 8; shift >= 0; shift -= 8)
        bytes += static_cast<char>(value >> shift);
    return bytes;
}

}  // namespace integreat::crypto
