// SPDX-License-Identifier: Apache-2.0
// A string that cannot be printed or formatted, compares in constant time and wipes its bytes on destruction.
#pragma once

#include <string>
#include <string_view>

namespace integreat {

// Returns whether both are equal; the time does not depend on the position of the first difference.
bool equal_in_constant_time(std::string_view left, std::string_view right);

class Secret {
public:
    Secret() = default;
    explicit Secret(std::string text) : text_(std::move(text)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
    Secret& operator=(Secret other) noexcept {
        text_.swap(other.text_);
        return *this;
    }
    ~Secret() { wipe(); }

    bool empty() const { return text_.empty(); }
    // Returns the bytes, for a signature or a connection string. Never for a message.
    const std::string& reveal() const { return text_; }

    friend bool operator==(const Secret& left, const Secret& right) {
        return equal_in_constant_time(left.text_, right.text_);
    }

private:
    void wipe();

    std::string text_;
};

}  // namespace integreat
