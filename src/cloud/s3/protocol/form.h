// SPDX-License-Identifier: Apache-2.0
// A form with a file as browsers send it (RFC 7578), read piece by piece: fields are kept, the file passes
// through. S3 wants the file last; what follows it is not looked at.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cloud/s3/protocol/errors.h"
#include "cloud/s3/store/types.h"

namespace integreat::s3 {

class FormReader {
public:
    // MalformedPOSTRequest or PreconditionFailed unless it is multipart/form-data with a boundary.
    static Tried<FormReader> begin(std::string_view content_type);

    struct File {
        std::string filename;
        std::string content_type;  // Empty if not said.
    };
    struct Events {
        std::function<Tried<>(const File&)> file_begins;  // All fields before it are known.
        std::function<Tried<>(std::string_view)> file_bytes;
    };
    Tried<> feed(std::string_view bytes, const Events& events);
    // MalformedPOSTRequest if it broke off; InvalidArgument if there was no file.
    Tried<> finish() const;

    const Pairs& fields() const { return fields_; }
    // The first of that name, without regard to case; empty if there is none.
    std::string_view field(std::string_view name) const;

private:
    enum class State { delimiter, head, field, file, done };
    explicit FormReader(std::string delimiter) : delimiter_(std::move(delimiter)) {}
    // False: more bytes are needed.
    Tried<bool> step(const Events& events);
    Tried<bool> read_head(const Events& events);
    Tried<bool> read_file(const Events& events);
    // Of what is pending: those before a mark at `end`, or before what may become one while there is none.
    std::size_t bytes_before(std::size_t end, std::size_t mark_bytes) const;

    std::string delimiter_;  // "\r\n--boundary"
    State state_ = State::delimiter;
    std::string pending_ = "\r\n";  // The first delimiter has no line before it.
    std::string name_;
    Pairs fields_;
    std::size_t fields_bytes_ = 0;
};

}  // namespace integreat::s3
