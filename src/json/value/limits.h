// SPDX-License-Identifier: Apache-2.0
// How large a document may be. Far above what a person writes, far below what could hurt.
#pragma once

#include <cstddef>

namespace integreat::json {

inline constexpr std::size_t document_bytes_max = 1024 * 1024;
inline constexpr int depth_max = 32;
inline constexpr std::size_t nodes_max = 100'000;
inline constexpr std::size_t key_bytes_max = 128;   // Of YAML. Mistakes name keys in full.
inline constexpr std::size_t mistakes_max = 1'000;  // Reported of one document; the rest is counted.

}  // namespace integreat::json
