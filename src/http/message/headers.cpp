// SPDX-License-Identifier: Apache-2.0
#include "http/message/headers.h"

#include <algorithm>
#include <cstring>

namespace integreat::http {

namespace {

constexpr char lower(char character) {
    return character >= 'A' && character <= 'Z' ? static_cast<char>(character | 0x20) : character;
}

}  // namespace

bool equal_ignoring_case(std::string_view left, std::string_view right) {
    if (left.size() != right.size()) return false;
    for (std::size_t i = 0; i < left.size(); ++i) {
        if (left[i] != right[i] && lower(left[i]) != lower(right[i])) return false;
    }
    return true;
}

// Eight bytes at a time: one below 0x20 sets a high bit
// (https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord), and only then they are looked at.
bool ends_early(std::string_view text) {
    constexpr std::uint64_t ones = 0x0101010101010101u;
    auto ending = [](char byte) { return byte == '\r' || byte == '\n' || byte == '\0'; };
    for (; text.size() >= sizeof ones; text.remove_prefix(sizeof ones)) {
        std::uint64_t eight;
        std::memcpy(&eight, text.data(), sizeof eight);
        bool suspect = ((eight - ones * 0x20) & ~eight & (ones << 7)) != 0;
        if (suspect && std::any_of(text.begin(), text.begin() + sizeof ones, ending)) return true;
    }
    return std::any_of(text.begin(), text.end(), ending);
}

Headers::Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    std::size_t bytes = 0;
    for (const auto& [name, value] : fields)
        bytes += name.size() + value.size();
    reserve(fields.size(), bytes);
    for (const auto& [name, value] : fields)
        add(name, value);
}

void Headers::add(std::string_view name, std::string_view value) {
    slots_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(name.size()),
                      static_cast<std::uint32_t>(value.size())});
    text_.append(name).append(value);
}

void Headers::set(std::string_view name, std::string_view value) {
    remove(name);
    add(name, value);
}

std::size_t Headers::remove(std::string_view name) {
    auto named = [&](const Slot& slot) {
        return equal_ignoring_case({text_.data() + slot.offset, slot.name_length}, name);
    };
    return std::erase_if(slots_, named);
}

void Headers::append(const Headers& others) {
    for (auto [name, value] : others)
        add(name, value);
}

void Headers::clear() {
    text_.clear();
    slots_.clear();
}

void Headers::reserve(std::size_t fields, std::size_t bytes) {
    text_.reserve(bytes);
    slots_.reserve(fields);
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
    for (const auto& slot : slots_) {
        const char* start = text_.data() + slot.offset;
        if (slot.name_length == name.size() && equal_ignoring_case({start, slot.name_length}, name)) {
            return std::string_view(start + slot.name_length, slot.value_length);
        }
    }
    return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(
        begin(), end(), [&](const Field& field) { return equal_ignoring_case(field.name, name); }));
}

Headers::Field Headers::operator[](std::size_t index) const {
    const auto& slot = slots_[index];
    const char* start = text_.data() + slot.offset;
    return {{start, slot.name_length}, {start + slot.name_length, slot.value_length}};
}

}  // namespace integreat::http
