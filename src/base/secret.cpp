// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <string.h>

namespace integreat {

bool equal_in_constant_time(std::string_view left, std::string_view right) {
    if (left.size() != right.size()) return false;
    unsigned char different = 0;
    for (std::size_t i = 0; i < left.size(); ++i)
        different |= static_cast<unsigned char>(left[i] ^ right[i]);
    return different == 0;
}

void Secret::wipe() {
    text_.resize(text_.capacity());
    explicit_bzero(text_.data(), text_.size());
    text_.clear();
}

}  // namespace integreat
