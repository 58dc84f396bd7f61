// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/protocol/form.h"

#include <algorithm>

#include "base/text/ascii.h"
#include "cloud/s3/store/limits.h"
#include "http/message/headers.h"

namespace integreat::s3 {

namespace {

constexpr std::size_t boundary_bytes_max = 70;  // RFC 2046 section 5.1.1.
constexpr std::size_t head_bytes_max = 4 * 1024;

AwsError malformed() {
    return {.status = 400,
            .code = "MalformedPOSTRequest",
            .message = "The body of your POST request is not well-formed multipart/form-data."};
}

AwsError fields_too_large() {
    return {.status = 400,
            .code = "MaxPostPreDataLengthExceeded",
            .message = "Your POST request fields preceding the upload file were too large."};
}

// Returns the value of `name=` in a header, quoted or not; nothing if it is missing.
std::optional<std::string> find_parameter(std::string_view header, std::string_view name) {
    for (auto at = header.find(';'); at != std::string_view::npos; at = header.find(';', at + 1)) {
        auto rest = header.substr(at + 1);
        while (rest.starts_with(' '))
            rest.remove_prefix(1);
        if (rest.size() <= name.size() || rest[name.size()] != '=' ||
            !iequals(rest.substr(0, name.size()), name))
            continue;
        rest.remove_prefix(name.size() + 1);
        if (!rest.starts_with('"')) return std::string(rest.substr(0, rest.find(';')));
        std::string value;
        for (std::size_t i = 1; i < rest.size(); ++i) {
            if (rest[i] == '"') return value;
            if (rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\')) ++i;
            value += rest[i];
        }
        return std::nullopt;  // The quote is not closed.
    }
    return std::nullopt;
}

std::string_view find_header(std::string_view head, std::string_view name) {
    while (!head.empty()) {
        auto end = std::min(head.find("\r\n"), head.size());
        auto line = head.substr(0, end);
        head.remove_prefix(std::min(end + 2, head.size()));
        auto colon = line.find(':');
        if (colon == std::string_view::npos || !iequals(line.substr(0, colon), name)) continue;
        auto value = line.substr(colon + 1);
        while (value.starts_with(' '))
            value.remove_prefix(1);
        return value;
    }
    return {};
}

}  // namespace

AwsResult<FormReader> FormReader::make(std::string_view content_type) {
    constexpr std::string_view form = "multipart/form-data";
    if (!iequals(content_type.substr(0, form.size()), form)) {
        return AwsError{
            .status = 412,
            .code = "PreconditionFailed",
            .message = "At least one of the pre-conditions you specified did not hold",
            .details = {{"Condition", "Bucket POST must be of the enclosure-type multipart/form-data"}}};
    }
    auto boundary = find_parameter(content_type, "boundary");
    if (!boundary || boundary->empty() || boundary->size() > boundary_bytes_max) return malformed();
    return FormReader("\r\n--" + *boundary);
}

std::string_view FormReader::field(std::string_view name) const {
    for (const auto& [field_name, value] : fields_) {
        if (iequals(field_name, name)) return value;
    }
    return {};
}

AwsResult<> FormReader::feed(std::string_view bytes, const Events& events) {
    if (state_ == State::done) return {};
    pending_ += bytes;
    while (TRY(step(events))) {
    }
    return {};
}

AwsResult<bool> FormReader::step(const Events& events) {
    switch (state_) {
        case State::delimiter:
            // The delimiter is followed by a line end, or by "--" at the end of the body.
            if (pending_.size() < delimiter_.size() + 2) return false;
            if (!pending_.starts_with(delimiter_)) return malformed();
            if (std::string_view(pending_).substr(delimiter_.size(), 2) == "--") {
                state_ = State::done;
                return false;
            }
            if (std::string_view(pending_).substr(delimiter_.size(), 2) != "\r\n") return malformed();
            pending_.erase(0, delimiter_.size() + 2);
            state_ = State::head;
            return true;
        case State::head: return read_head(events);
        case State::field: {
            auto end = pending_.find(delimiter_);
            if (fields_bytes_ + bytes_before(end, delimiter_.size()) > form_fields_bytes_max)
                return fields_too_large();
            if (end == std::string::npos) return false;
            fields_bytes_ += end + name_.size();
            fields_.emplace_back(std::move(name_), pending_.substr(0, end));
            pending_.erase(0, end);
            state_ = State::delimiter;
            return true;
        }
        case State::file: return read_file(events);
        case State::done: break;
    }
    return false;
}

std::size_t FormReader::bytes_before(std::size_t end, std::size_t separator_bytes) const {
    if (end != std::string::npos) return end;
    return pending_.size() - std::min(pending_.size(), separator_bytes - 1);
}

AwsResult<bool> FormReader::read_head(const Events& events) {
    constexpr std::string_view head_end = "\r\n\r\n";
    auto end = pending_.find(head_end);
    if (bytes_before(end, head_end.size()) > head_bytes_max) return fields_too_large();
    if (end == std::string::npos) return false;
    auto head = pending_.substr(0, end);
    pending_.erase(0, end + 4);
    auto disposition = find_header(head, "content-disposition");
    auto name = find_parameter(disposition, "name");
    if (!name) return malformed();
    // The delimiter after an empty field or file begins with a line end.
    name_ = *std::move(name);
    if (iequals(name_, "file")) {
        state_ = State::file;
        TRY(events.on_file({.filename = find_parameter(disposition, "filename").value_or(""),
                            .content_type = std::string(find_header(head, "content-type"))}));
    } else {
        state_ = State::field;
    }
    return true;
}

AwsResult<bool> FormReader::read_file(const Events& events) {
    auto end = pending_.find(delimiter_);
    if (end != std::string::npos) {
        TRY(events.on_file_bytes(std::string_view(pending_).substr(0, end)));
        pending_.clear();
        state_ = State::done;
        return false;
    }
    // The last bytes may be the start of the delimiter.
    if (pending_.size() < delimiter_.size()) return false;
    auto count = pending_.size() - (delimiter_.size() - 1);
    TRY(events.on_file_bytes(std::string_view(pending_).substr(0, count)));
    pending_.erase(0, count);
    return false;
}

AwsResult<> FormReader::finish() const {
    if (state_ != State::done) return malformed();
    if (!iequals(name_, "file"))
        return invalid_argument("POST requires exactly one file upload per request.", "file", "0");
    return {};
}

}  // namespace integreat::s3
