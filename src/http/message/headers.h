// SPDX-License-Identifier: Apache-2.0
// Header fields of one message, in order (RFC 9110 section 5). All bytes are stored in one string, so that a
// message costs two allocations and a reused one costs none. Names keep their spelling; comparison ignores
// case.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace integreat::http {

// Returns true if `text` contains CR, LF or NUL, the only bytes that can end a field, or a C string in code
// that reads it later, too early.
bool has_crlf_or_nul(std::string_view text);

class Headers {
public:
    struct Field {
        std::string_view name;
        std::string_view value;
    };

    Headers() = default;
    Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

    // Every change invalidates the views returned before.
    void add(std::string_view name, std::string_view value);
    void set(std::string_view name, std::string_view value);  // Replaces all fields of that name.
    std::size_t remove(std::string_view name);                // Returns the number of removed fields.
    void append(const Headers& other);
    void clear();  // Keeps the allocated memory.
    // Reserves memory for `fields` fields whose names and values have `bytes` bytes in total.
    void reserve(std::size_t fields, std::size_t bytes);

    // Returns the first value. RFC 9110 forbids several values for the fields we read this way, and net/
    // refuses such requests.
    std::optional<std::string_view> get(std::string_view name) const;
    // Returns the first value, or an empty text.
    std::string_view value(std::string_view name) const { return get(name).value_or(std::string_view()); }
    bool contains(std::string_view name) const { return get(name).has_value(); }
    std::size_t count(std::string_view name) const;

    std::size_t size() const { return slots_.size(); }
    std::size_t bytes() const { return text_.size(); }
    bool empty() const { return slots_.empty(); }
    Field operator[](std::size_t index) const;

    class Iterator {
    public:
        Iterator(const Headers& headers, std::size_t index) : headers_(&headers), index_(index) {}
        Field operator*() const { return (*headers_)[index_]; }
        Iterator& operator++() {
            ++index_;
            return *this;
        }
        bool operator==(const Iterator&) const = default;
        using difference_type = std::ptrdiff_t;
        using value_type = Field;
        using pointer = void;
        using reference = Field;
        using iterator_category = std::input_iterator_tag;

    private:
        const Headers* headers_;
        std::size_t index_;
    };
    Iterator begin() const { return {*this, 0}; }
    Iterator end() const { return {*this, slots_.size()}; }

private:
    struct Slot {
        std::uint32_t offset;  // Position of the name in text_; the value follows it.
        std::uint32_t name_length;
        std::uint32_t value_length;
    };

    std::string text_;
    std::vector<Slot> slots_;
};

}  // namespace integreat::http
