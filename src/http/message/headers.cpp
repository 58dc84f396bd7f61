// SPDX-License-Identifier: Apache-2.0
#include "http/message/headers.h"

#include <algorithm>
#include <cstring>

#include "base/text/ascii.h"

namespace integreat::http {

// Tests eight bytes at a time: a byte below 0x20 sets a high bit
// (https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord), and only then each byte is compared.
bool has_crlf_or_nul(std::string_view text) {
    constexpr std::uint64_t ones = 0x0101010101010101u;
    auto is_terminator = [](char byte) { return byte == '\r' || byte == '\n' || byte == '\0'; };
    for (; text.size() >= sizeof ones; text.remove_prefix(sizeof ones)) {
        std::uint64_t word;
        std::memcpy(&word, text.data(), sizeof word);
        bool suspect = ((word - ones * 0x20) & ~word & (ones << 7)) != 0;
        if (suspect && std::any_of(text.begin(), text.begin() + sizeof ones, is_terminator)) return true;
    }
    return std::any_of(text.begin(), text.end(), is_terminator);
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
    auto has_name = [&](const Slot& slot) {
        return iequals({text_.data() + slot.offset, slot.name_length}, name);
    };
    return std::erase_if(slots_, has_name);
}

void Headers::append(const Headers& other) {
    for (auto [name, value] : other)
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
        if (slot.name_length == name.size() && iequals({start, slot.name_length}, name)) {
            return std::string_view(start + slot.name_length, slot.value_length);
        }
    }
    return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::count_if(begin(), end(), [&](const Field& field) { return iequals(field.name, name); }));
}

Headers::Field Headers::operator[](std::size_t index) const {
    const auto& slot = slots_[index];
    const char* start = text_.data() + slot.offset;
    return {{start, slot.name_length}, {start + slot.name_length, slot.value_length}};
}

}  // namespace integreat::http
