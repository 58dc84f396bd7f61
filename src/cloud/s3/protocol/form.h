// SPDX-License-Identifier: Apache-2.0
// An incremental parser of multipart/form-data bodies with a file (RFC 7578): fields are collected, file
// bytes are passed on. S3 requires the file to be last; anything after it is ignored.
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
    // Returns MalformedPOSTRequest or PreconditionFailed unless the type is multipart/form-data with a
    // boundary.
    static AwsResult<FormReader> make(std::string_view content_type);

    struct File {
        std::string filename;
        std::string content_type;  // Empty if missing.
    };
    struct Events {
        std::function<AwsResult<>(const File&)> on_file;  // All fields have been parsed.
        std::function<AwsResult<>(std::string_view)> on_file_bytes;
    };
    // Parses a chunk.
    AwsResult<> feed(std::string_view bytes, const Events& events);
    // Returns MalformedPOSTRequest if the body is incomplete; InvalidArgument if it has no file.
    AwsResult<> finish() const;

    const Pairs& fields() const { return fields_; }
    // Returns the first field of this name, ignoring case; empty if there is none.
    std::string_view field(std::string_view name) const;

private:
    enum class State { delimiter, head, field, file, done };
    explicit FormReader(std::string delimiter) : delimiter_(std::move(delimiter)) {}
    // Returns false if more bytes are needed.
    AwsResult<bool> step(const Events& events);
    AwsResult<bool> read_head(const Events& events);
    AwsResult<bool> read_file(const Events& events);
    // Returns the number of pending bytes before a separator at `end`, or before a possible partial separator
    // if there is none yet.
    std::size_t bytes_before(std::size_t end, std::size_t separator_bytes) const;

    std::string delimiter_;  // "\r\n--boundary"
    State state_ = State::delimiter;
    std::string pending_ = "\r\n";  // The first delimiter is not preceded by a line end.
    std::string name_;
    Pairs fields_;
    std::size_t fields_bytes_ = 0;
};

}  // namespace integreat::s3
