// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/protocol/form.h"

#include <gtest/gtest.h>

#include "cloud/s3/store/limits.h"

namespace integreat::s3 {
namespace {

struct Form {
    std::string error_code;  // Empty if the form is valid.
    Pairs fields;
    std::string file;
    friend bool operator==(const Form&, const Form&) = default;
};

Form parse(std::string_view bytes, std::size_t chunk_bytes) {
    Form form;
    auto reader = FormReader::make("multipart/form-data; boundary=b");
    EXPECT_TRUE(reader);
    FormReader::Events events{.on_file = [](const FormReader::File&) { return AwsResult<>(); },
                              .on_file_bytes =
                                  [&form](std::string_view more) {
                                      form.file += more;
                                      return AwsResult<>();
                                  }};
    for (std::size_t at = 0; at < bytes.size(); at += chunk_bytes) {
        if (auto result = reader->feed(bytes.substr(at, chunk_bytes), events); !result) {
            form.error_code = std::move(result).error().code;
            return form;
        }
    }
    if (auto finished = reader->finish(); !finished) form.error_code = std::move(finished).error().code;
    form.fields = reader->fields();
    return form;
}

// Parses in one chunk and checks that other chunk sizes give the same form.
Form parse(std::string_view bytes) {
    auto whole = parse(bytes, bytes.size() + 1);
    for (std::size_t chunk_bytes : {1, 2, 3, 5, 7, 64})
        EXPECT_EQ(parse(bytes, chunk_bytes), whole) << "in chunks of " << chunk_bytes;
    return whole;
}

std::string part(const std::string& disposition, const std::string& content) {
    return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n";
}

const std::string file = part("name=\"file\"; filename=\"a.txt\"", "the file") + "--b--\r\n";

TEST(FormReader, ParsesFieldsAndTheFile) {
    auto form = parse(part("name=\"key\"", "a/b") + part("name=empty", "") + file);
    EXPECT_EQ(form, (Form{"", {{"key", "a/b"}, {"empty", ""}}, "the file"}));
}

TEST(FormReader, AcceptsPartialDelimitersInContent) {
    EXPECT_EQ(parse(part("name=file", "\r\n--a\r\n-\r\n--") + "--b--").file, "\r\n--a\r\n-\r\n--");
}

TEST(FormReader, RefusesFormsWithoutEndOrFile) {
    EXPECT_EQ(parse(part("name=key", "a")).error_code, "MalformedPOSTRequest");
    EXPECT_EQ(parse(part("name=key", "a") + "--b-").error_code, "MalformedPOSTRequest");
    EXPECT_EQ(parse(part("name=key", "a") + "--b--").error_code, "InvalidArgument");
    EXPECT_EQ(parse(part("filename=key", "a") + file).error_code, "MalformedPOSTRequest");
    EXPECT_EQ(parse("--c\r\n").error_code, "MalformedPOSTRequest");
}

TEST(FormReader, EnforcesLimitsForAllChunkSizes) {
    for (std::size_t size : {form_fields_bytes_max, form_fields_bytes_max + 1}) {
        auto form = parse(part("name=key", std::string(size, 'v')) + file);
        EXPECT_EQ(form.error_code, size == form_fields_bytes_max ? "" : "MaxPostPreDataLengthExceeded");
    }
    const std::string head = "--b\r\nContent-Disposition: form-data; name=key; x=";
    for (std::size_t size : {4096, 4097}) {
        auto padding =
            std::string(size + 5 - head.size(), 'x');  // The delimiter line is not part of the head.
        auto form = parse(head + padding + "\r\n\r\nv\r\n" + file);
        EXPECT_EQ(form.error_code, size == 4096 ? "" : "MaxPostPreDataLengthExceeded");
    }
}

}  // namespace
}  // namespace integreat::s3
