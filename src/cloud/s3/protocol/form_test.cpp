// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/protocol/form.h"

#include <gtest/gtest.h>

#include "cloud/s3/store/limits.h"

namespace integreat::s3 {
namespace {

struct Form {
    std::string refusal;  // The error's code; empty if the form is good.
    Pairs fields;
    std::string file;
    friend bool operator==(const Form&, const Form&) = default;
};

Form read(std::string_view bytes, std::size_t piece) {
    Form form;
    auto reader = FormReader::begin("multipart/form-data; boundary=b");
    EXPECT_TRUE(reader);
    FormReader::Events events{.file_begins = [](const FormReader::File&) { return Tried<>(); },
                              .file_bytes =
                                  [&form](std::string_view more) {
                                      form.file += more;
                                      return Tried<>();
                                  }};
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        if (auto fed = reader->feed(bytes.substr(at, piece), events); !fed) {
            form.refusal = std::move(fed).error().code;
            return form;
        }
    }
    if (auto finished = reader->finish(); !finished) form.refusal = std::move(finished).error().code;
    form.fields = reader->fields();
    return form;
}

// The same whatever its pieces.
Form read(std::string_view bytes) {
    auto whole = read(bytes, bytes.size() + 1);
    for (std::size_t piece : {1, 2, 3, 5, 7, 64})
        EXPECT_EQ(read(bytes, piece), whole) << "in pieces of " << piece;
    return whole;
}

std::string part(const std::string& disposition, const std::string& content) {
    return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n";
}

const std::string file = part("name=\"file\"; filename=\"a.txt\"", "the file") + "--b--\r\n";

TEST(FormReader, ReadsFieldsAndTheFile) {
    auto form = read(part("name=\"key\"", "a/b") + part("name=empty", "") + file);
    EXPECT_EQ(form, (Form{"", {{"key", "a/b"}, {"empty", ""}}, "the file"}));
}

TEST(FormReader, TakesWhatLooksLikeADelimiterForContent) {
    EXPECT_EQ(read(part("name=file", "\r\n--a\r\n-\r\n--") + "--b--").file, "\r\n--a\r\n-\r\n--");
}

TEST(FormReader, RefusesFormsWithoutEndOrFile) {
    EXPECT_EQ(read(part("name=key", "a")).refusal, "MalformedPOSTRequest");
    EXPECT_EQ(read(part("name=key", "a") + "--b-").refusal, "MalformedPOSTRequest");
    EXPECT_EQ(read(part("name=key", "a") + "--b--").refusal, "InvalidArgument");
    EXPECT_EQ(read(part("filename=key", "a") + file).refusal, "MalformedPOSTRequest");
    EXPECT_EQ(read("--c\r\n").refusal, "MalformedPOSTRequest");
}

TEST(FormReader, HasTheSameLimitsHoweverTheBytesArrive) {
    for (std::size_t size : {form_fields_bytes_max, form_fields_bytes_max + 1}) {
        auto form = read(part("name=key", std::string(size, 'v')) + file);
        EXPECT_EQ(form.refusal, size == form_fields_bytes_max ? "" : "MaxPostPreDataLengthExceeded");
    }
    const std::string head = "--b\r\nContent-Disposition: form-data; name=key; x=";
    for (std::size_t size : {4096, 4097}) {
        auto padding = std::string(size + 5 - head.size(), 'x');  // The delimiter's line is not of the head.
        auto form = read(head + padding + "\r\n\r\nv\r\n" + file);
        EXPECT_EQ(form.refusal, size == 4096 ? "" : "MaxPostPreDataLengthExceeded");
    }
}

}  // namespace
}  // namespace integreat::s3
