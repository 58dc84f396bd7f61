// SPDX-License-Identifier: Apache-2.0
// Limits of the local S3, equal to those that AWS documents:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
#pragma once

#include <cstddef>
#include <cstdint>

namespace integreat::s3 {

inline constexpr std::uint64_t put_bytes_max = 5ull << 30;     // In bytes: one PUT, one part or one copy.
inline constexpr std::uint64_t object_bytes_max = 5ull << 40;  // In bytes, uploaded in parts.
inline constexpr std::uint64_t part_bytes_min = 5ull << 20;    // In bytes; the last part may be smaller.
inline constexpr int part_number_max = 10'000;
inline constexpr int page_count_max = 1'000;  // Keys, versions, parts or uploads per response.
inline constexpr std::size_t delete_count_max = 1'000;
inline constexpr std::size_t key_bytes_max = 1'024;
inline constexpr std::size_t metadata_bytes_max = 2 * 1024;
inline constexpr std::size_t header_value_bytes_max = 2 * 1024;  // Content-Type and similar headers.
inline constexpr std::size_t object_tags_max = 10;
inline constexpr std::size_t bucket_tags_max = 50;
inline constexpr std::size_t tag_key_characters_max = 128;
inline constexpr std::size_t tag_value_characters_max = 256;
inline constexpr std::size_t cors_rules_max = 100;
inline constexpr std::size_t policy_bytes_max = 20 * 1024;
inline constexpr std::size_t lifecycle_rules_max = 1'000;
inline constexpr std::size_t buckets_max = 10'000;

inline constexpr std::size_t settings_body_bytes_max = 64 * 1024;
inline constexpr std::size_t delete_body_bytes_max = 2 * 1024 * 1024;
inline constexpr std::size_t complete_body_bytes_max = 4 * 1024 * 1024;  // 10,000 parts with SHA-256 each.
inline constexpr std::size_t form_fields_bytes_max = 20 * 1024;          // A POST form without its file.
inline constexpr std::size_t xml_depth_max = 12;

// Objects up to this size in bytes are stored in the index itself
// (docs/inside/decisions/0101-where-object-bytes-are-stored.md).
inline constexpr std::size_t inline_bytes_max = 32 * 1024;

}  // namespace integreat::s3
