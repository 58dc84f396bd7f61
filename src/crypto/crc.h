// SPDX-License-Identifier: Apache-2.0
// Cyclic redundancy checks, as S3's checksums use them: CRC-32 (ISO-HDLC, that of zlib), CRC-32C (Castagnoli,
// RFC 3720) and CRC-64/NVME. All three are reflected, start from all ones and are inverted at the end, so one
// piece of code does them. Sums of neighbours combine without their bytes: the parts of an upload become the
// sum of the whole.
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

// The sum of two byte sequences in a row: of the first, of the second, and how long the second is.
std::uint64_t crc_combine(Crc crc, std::uint64_t first, std::uint64_t second, std::uint64_t second_bytes);

// Big-endian, four or eight bytes: the form that S3 writes in base64.
std::string crc_bytes(Crc crc, std::uint64_t value);

}  // namespace integreat::crypto
