// SPDX-License-Identifier: Apache-2.0
// A Secret cannot be printed, formatted or compared in variable time, and wipes its bytes when it goes.
#pragma once

#include <string>
#include <string_view>

namespace integreat {

// True if both are the same; takes as long for a wrong first byte as for a wrong last one.
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
    // For the call that needs the bytes: a signature, a connection string. Never for a message.
    const std::string& reveal() const { return text_; }

    friend bool operator==(const Secret& left, const Secret& right) {
        return equal_in_constant_time(left.text_, right.text_);
    }

private:
    void wipe();

    std::string text_;
};

}  // namespace integreat
