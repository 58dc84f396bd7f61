// SPDX-License-Identifier: Apache-2.0
// Cyclic redundancy checks, as in S3's checksums: CRC-32 (ISO-HDLC, zlib's), CRC-32C (Castagnoli, RFC 3720)
// and CRC-64/NVME. All three are reflected, start from all ones and are inverted at the end, so they share
// one implementation. Checksums of adjacent sequences combine without their bytes: those of the parts of an
// upload become that of the whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace integreat::crypto {

enum class Crc : std::uint8_t { crc32, crc32c, crc64nvme };

class CrcSum {
public:
    explicit CrcSum(Crc crc) : crc_(crc) {}

    void update(std::string_view bytes);
    std::uint64_t value() const { return value_; }

private:
    Crc crc_;
    std::uint64_t value_ = 0;
};

// Returns the checksum of two adjacent byte sequences from the checksum of each and the length of the second.
std::uint64_t crc_combine(Crc crc, std::uint64_t first, std::uint64_t second, std::uint64_t second_bytes);

// Returns the value big-endian in four or eight bytes: the form that S3 encodes in base64.
std::string crc_bytes(Crc crc, std::uint64_t value);

}  // namespace integreat::crypto
