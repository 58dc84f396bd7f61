// SPDX-License-Identifier: Apache-2.0
#include "json/value/parse.h"

#include <charconv>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/object.hpp>

namespace integreat::json {

namespace {

using boost::json::error;
using boost::json::error_code;
using boost::json::string_view;

// A handler for boost::json::basic_parser that builds the value. Boost's own handler lets the last of several
// equal names win.
class Builder {
public:
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);

    Builder(std::size_t names_max, boost::json::storage_ptr storage)
        : names_max_(names_max), storage_(std::move(storage)), document_(storage_) {}

    boost::json::value take() { return std::move(document_); }
    const std::string& error_message() const { return error_message_; }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_array_begin(error_code& code) { return open(boost::json::array(storage_), code); }
    bool on_array_end(std::size_t, error_code&) { return close(); }
    bool on_object_begin(error_code& code) { return open(boost::json::object(storage_), code); }
    bool on_object_end(std::size_t, error_code&) { return close(); }

    bool on_key_part(string_view part, std::size_t, error_code&) {
        name_.append(part.data(), part.size());
        return true;
    }
    bool on_key(string_view part, std::size_t, error_code& code) {
        name_.append(part.data(), part.size());
        const auto& object = open_.back()->get_object();
        if (object.contains(name_)) return fail(code, "the name \"" + shorten(name_) + "\" is given twice");
        if (object.size() >= names_max_) {
            return fail(code, "an object has more than " + std::to_string(names_max_) + " names");
        }
        return true;
    }
    bool on_string_part(string_view part, std::size_t, error_code&) {
        string_.append(part.data(), part.size());
        return true;
    }
    bool on_string(string_view part, std::size_t, error_code& code) {
        if (string_.empty()) return add(boost::json::string(part, storage_), code);
        string_.append(part.data(), part.size());
        auto added = add(boost::json::string(string_, storage_), code);
        string_.clear();
        return added;
    }
    bool on_number_part(string_view part, error_code&) {
        number_.append(part.data(), part.size());
        return true;
    }
    bool on_int64(std::int64_t number, string_view, error_code& code) {
        number_.clear();
        return add(number, code);
    }
    bool on_uint64(std::uint64_t number, string_view, error_code& code) {
        number_.clear();
        return add(number, code);
    }
    // Boost 1.81 may miss the nearest double by a bit or two, so 0.1 + 0.2 would depend on the parser.
    bool on_double(double approximate, string_view part, error_code& code) {
        number_.append(part.data(), part.size());
        double exact = 0;
        auto failure = std::from_chars(number_.data(), number_.data() + number_.size(), exact).ec;
        number_.clear();
        if (failure == std::errc() && std::isfinite(exact)) return add(exact, code);
        if (std::abs(approximate) < 1) return add(0.0, code);  // Nearer to zero than any other double.
        return fail(code, "a number is too large");
    }
    bool on_bool(bool value, error_code& code) { return add(value, code); }
    bool on_null(error_code& code) { return add(nullptr, code); }
    bool on_comment_part(string_view, error_code&) { return false; }
    bool on_comment(string_view, error_code&) { return false; }

private:
    // Open containers are the last element of their parent, so no pointer in open_ is invalidated.
    template <class Value>
    boost::json::value* insert(Value&& value) {
        if (open_.empty()) {
            document_ = std::forward<Value>(value);
            return &document_;
        }
        if (auto* array = open_.back()->if_array()) return &array->emplace_back(std::forward<Value>(value));
        auto* inserted =
            &open_.back()->get_object().emplace(name_, std::forward<Value>(value)).first->value();
        name_.clear();
        return inserted;
    }
    template <class Value>
    bool add(Value&& value, error_code&) {
        insert(std::forward<Value>(value));
        return true;
    }
    template <class Container>
    bool open(Container&& container, error_code&) {
        open_.push_back(insert(std::forward<Container>(container)));
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }
    bool fail(error_code& code, std::string error_message) {
        error_message_ = std::move(error_message);
        code = error::syntax;
        return false;
    }
    static std::string shorten(const std::string& name) {
        constexpr std::size_t shown_max = 64;
        if (name.size() <= shown_max) return name;
        std::size_t end = shown_max;
        while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80)
            --end;  // Cut between characters.
        return name.substr(0, end) + "...";
    }

    std::size_t names_max_;
    boost::json::storage_ptr storage_;
    boost::json::value document_;
    std::vector<boost::json::value*> open_;
    std::string name_;
    std::string string_;
    std::string number_;
    std::string error_message_;
};

std::string explain_json_error(const error_code& code, std::string_view text, std::size_t offset) {
    if (code == error::incomplete) return "the text ends before the JSON value does";
    if (code == error::extra_data) return "something follows the JSON value";
    if (code == error::too_deep) return "arrays and objects are nested too deep";
    if (code == error::exponent_overflow) return "a number is too large";
    if (code == error::illegal_leading_surrogate || code == error::illegal_trailing_surrogate ||
        code == error::expected_utf16_escape) {
        return "a \\u escape is half of a surrogate pair";
    }
    if (code == error::expected_hex_digit) return "a \\u escape needs four hexadecimal digits";
    if (offset >= text.size()) return "the text ends before the JSON value does";
    auto byte = static_cast<unsigned char>(text[offset]);
    if (byte >= 0x80) return "a byte is not valid UTF-8 or is outside a string";
    if (byte < 0x20) return "a control character is not allowed here";
    return "'" + std::string(1, static_cast<char>(byte)) + "' is not valid JSON here";
}

Error make_error(const std::string& message, std::string_view text, std::size_t offset) {
    auto before = text.substr(0, offset);
    auto line = 1 + std::count(before.begin(), before.end(), '\n');
    auto line_start = before.rfind('\n');
    auto column = line_start == std::string_view::npos ? offset + 1 : offset - line_start;
    return {Fault::invalid,
            message + " (line " + std::to_string(line) + ", column " + std::to_string(column) + ")", ""};
}

}  // namespace

Result<boost::json::value> parse(std::string_view text, const ParseLimits& limits,
                                 boost::json::storage_ptr storage) {
    if (text.size() > limits.max_bytes) {
        return Error{Fault::invalid,
                     "the JSON text is longer than " + std::to_string(limits.max_bytes) + " bytes", ""};
    }
    boost::json::parse_options options;
    options.max_depth = limits.depth_max;
    boost::json::basic_parser<Builder> parser(options, limits.object_names_max, std::move(storage));
    error_code code;
    auto consumed = parser.write_some(false, text.data(), text.size(), code);
    if (!code && consumed < text.size()) code = error::extra_data;
    if (code) {
        const auto& error_message = parser.handler().error_message();
        return make_error(error_message.empty() ? explain_json_error(code, text, consumed) : error_message,
                          text, consumed);
    }
    return parser.handler().take();
}

Result<boost::json::object> parse_object(std::string_view text, const ParseLimits& limits,
                                         boost::json::storage_ptr storage) {
    auto value = TRY(parse(text, limits, std::move(storage)));
    if (auto* object = value.if_object()) return std::move(*object);
    return Error{Fault::invalid, "the JSON value must be an object", ""};
}

std::optional<std::string_view> find_string(const boost::json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    const auto* text = value ? value->if_string() : nullptr;
    return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

}  // namespace integreat::json
