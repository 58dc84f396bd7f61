// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/store/limits.h"
#include "cloud/s3/testing/s3_fixture.h"
#include "crypto/crc.h"
#include "crypto/encoding.h"
#include "crypto/hasher.h"

namespace integreat::s3 {
namespace {

class UploadsTest : public S3Test {
protected:
    std::string begin(Headers headers = {}) {
        auto begun = post("/a-bucket/big?uploads", "", std::move(headers));
        EXPECT_EQ(begun.status, 200) << begun.body;
        return begun.text("UploadId");
    }
    Received part(const std::string& id, int number, const std::string& bytes, Headers headers = {}) {
        return put("/a-bucket/big?partNumber=" + std::to_string(number) + "&uploadId=" + id, bytes,
                   std::move(headers));
    }
    static std::string listed(int number, std::string_view etag, const std::string& more = "") {
        return "<Part><ETag>" + std::string(etag) + "</ETag>" + more + "<PartNumber>" +
               std::to_string(number) + "</PartNumber></Part>";
    }
    Received complete(const std::string& id, const std::string& parts, Headers headers = {}) {
        return post("/a-bucket/big?uploadId=" + id,
                    "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + parts +
                        "</CompleteMultipartUpload>",
                    std::move(headers));
    }
    static std::string crc(const std::string& bytes) {
        crypto::CrcSum sum(crypto::Crc::crc32);
        sum.update(bytes);
        return crypto::base64_encode(crypto::crc_bytes(crypto::Crc::crc32, sum.value()));
    }
    const std::string first = some_bytes(part_bytes_min, 1), second = some_bytes(100, 2);
};

TEST_F(UploadsTest, PartsBecomeOneObject) {
    auto id = begin({{"Content-Type", "text/csv"}, {"x-amz-meta-a", "1"}, {"x-amz-tagging", "t=1"}});
    auto b = std::string(part(id, 2, second).headers.value("ETag"));
    auto a = std::string(part(id, 1, first).headers.value("ETag"));
    EXPECT_EQ(all(get("/a-bucket/big?uploadId=" + id), "PartNumber"), (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(all(get("/a-bucket?uploads"), "UploadId"), (std::vector<std::string>{id}));
    EXPECT_EQ(refusal(get("/a-bucket/big")), "NoSuchKey 404");
    auto done = complete(id, listed(1, a) + listed(2, b));
    EXPECT_EQ(done.status, 200) << done.body;
    auto raw = [](const std::string& bytes) { return crypto::hash_of(crypto::Hash::md5, bytes); };
    auto etag = crypto::hex_encode(crypto::hash_of(crypto::Hash::md5, raw(first) + raw(second))) + "-2";
    EXPECT_EQ(done.text("ETag"), "&quot;" + etag + "&quot;");
    auto got = get("/a-bucket/big");
    EXPECT_EQ(got.body, first + second);
    EXPECT_EQ(got.headers.value("ETag"), "\"" + etag + "\"");
    EXPECT_EQ(got.headers.value("Content-Type"), "text/csv");
    EXPECT_EQ(got.headers.value("x-amz-tagging-count"), "1");
    auto across = get("/a-bucket/big", {{"Range", "bytes=5242878-5242881"}});
    EXPECT_EQ(across.body, (first + second).substr(5242878, 4));
    auto of_part = get("/a-bucket/big?partNumber=2");
    EXPECT_EQ(of_part.status, 206);
    EXPECT_EQ(of_part.body, second);
    EXPECT_EQ(of_part.headers.value("x-amz-mp-parts-count"), "2");
    EXPECT_EQ(refusal(get("/a-bucket/big?partNumber=3")), "InvalidPartNumber 416");
    EXPECT_EQ(refusal(complete(id, listed(1, a) + listed(2, b))), "NoSuchUpload 404");
    EXPECT_TRUE(all(get("/a-bucket?uploads"), "UploadId").empty());
}

TEST_F(UploadsTest, WhatIsCompletedMustBeWhatWasUploaded) {
    auto id = begin();
    auto a = std::string(part(id, 1, second).headers.value("ETag"));
    auto b = std::string(part(id, 2, second).headers.value("ETag"));
    EXPECT_EQ(refusal(complete(id, listed(2, b) + listed(1, a))), "InvalidPartOrder 400");
    EXPECT_EQ(refusal(complete(id, listed(1, a) + listed(1, a))), "InvalidPartOrder 400");
    EXPECT_EQ(refusal(complete(id, listed(1, "\"0\""))), "InvalidPart 400");
    EXPECT_EQ(refusal(complete(id, listed(3, a))), "InvalidPart 400");
    auto small = complete(id, listed(1, a) + listed(2, b));
    EXPECT_EQ(refusal(small), "EntityTooSmall 400");
    EXPECT_EQ(small.text("ProposedSize"), "100");
    EXPECT_EQ(refusal(complete(id, "")), "MalformedXML 400");
    EXPECT_EQ(refusal(complete(id, "<Part/>")), "MalformedXML 400");
    EXPECT_EQ(refusal(complete("unknown", listed(1, a))), "NoSuchUpload 404");
    EXPECT_EQ(refusal(complete(id, listed(1, a), {{"x-amz-mp-object-size", "5"}})), "InvalidRequest 400");
    EXPECT_EQ(complete(id, listed(1, a)).status, 200);
    EXPECT_EQ(get("/a-bucket/big").body, second);
}

TEST_F(UploadsTest, PartsHaveNumbersAndAnUpload) {
    auto id = begin();
    EXPECT_EQ(refusal(part(id, 0, "x")), "InvalidArgument 400");
    EXPECT_EQ(refusal(part(id, 10'001, "x")), "InvalidArgument 400");
    EXPECT_EQ(refusal(part("unknown", 1, "x")), "NoSuchUpload 404");
    part(id, 1, "one");
    part(id, 1, "another");
    auto parts = get("/a-bucket/big?uploadId=" + id);
    EXPECT_EQ(all(parts, "Size"), (std::vector<std::string>{"7"}));
    for (int i = 2; i <= 4; ++i)
        part(id, i, "x");
    auto page = get("/a-bucket/big?uploadId=" + id + "&max-parts=2&part-number-marker=1");
    EXPECT_EQ(all(page, "PartNumber"), (std::vector<std::string>{"2", "3"}));
    EXPECT_EQ(page.text("NextPartNumberMarker"), "3");
    EXPECT_EQ(page.text("IsTruncated"), "true");
    EXPECT_EQ(del("/a-bucket/big?uploadId=" + id).status, 204);
    EXPECT_EQ(refusal(del("/a-bucket/big?uploadId=" + id)), "NoSuchUpload 404");
}

TEST_F(UploadsTest, ACompositeChecksumIsTheSumOfTheSums) {
    auto id = begin({{"x-amz-checksum-algorithm", "CRC32"}});
    EXPECT_EQ(refusal(part(id, 1, first)), "InvalidRequest 400");
    auto a = part(id, 1, first, {{"x-amz-checksum-crc32", crc(first)}});
    auto b = part(id, 2, second, {{"x-amz-checksum-crc32", crc(second)}});
    EXPECT_EQ(b.headers.value("x-amz-checksum-crc32"), crc(second));
    auto sum = [&](const std::string& of) { return "<ChecksumCRC32>" + crc(of) + "</ChecksumCRC32>"; };
    auto etag = [](const Received& received) { return std::string(received.headers.value("ETag")); };
    EXPECT_EQ(refusal(complete(id, listed(1, etag(a)) + listed(2, etag(b)))), "InvalidRequest 400");
    EXPECT_EQ(refusal(complete(id, listed(1, etag(a), sum(second)) + listed(2, etag(b), sum(second)))),
              "InvalidPart 400");
    auto done = complete(id, listed(1, etag(a), sum(first)) + listed(2, etag(b), sum(second)));
    auto raw = [](const std::string& of) { return *crypto::base64_decode(crc(of)); };
    EXPECT_EQ(done.text("ChecksumCRC32"), crc(raw(first) + raw(second)) + "-2");
    EXPECT_EQ(done.text("ChecksumType"), "COMPOSITE");
    auto shown = head("/a-bucket/big", {{"x-amz-checksum-mode", "ENABLED"}});
    EXPECT_EQ(shown.headers.value("x-amz-checksum-type"), "COMPOSITE");
}

TEST_F(UploadsTest, AFullObjectChecksumIsTheSumOfTheWhole) {
    auto id = begin({{"x-amz-checksum-algorithm", "CRC32"}, {"x-amz-checksum-type", "FULL_OBJECT"}});
    auto a = part(id, 1, first, {{"x-amz-checksum-crc32", crc(first)}});
    auto b = part(id, 2, second, {{"x-amz-checksum-crc32", crc(second)}});
    auto parts = listed(1, a.headers.value("ETag")) + listed(2, b.headers.value("ETag"));
    EXPECT_EQ(refusal(complete(id, parts, {{"x-amz-checksum-crc32", "AAAAAA=="}})), "BadDigest 400");
    auto done = complete(id, parts, {{"x-amz-checksum-crc32", crc(first + second)}});
    EXPECT_EQ(done.text("ChecksumCRC32"), crc(first + second)) << done.body;
    EXPECT_EQ(refusal(post("/a-bucket/big?uploads", "",
                           {{"x-amz-checksum-algorithm", "SHA256"}, {"x-amz-checksum-type", "FULL_OBJECT"}})),
              "InvalidRequest 400");
    EXPECT_EQ(refusal(post("/a-bucket/big?uploads", "", {{"x-amz-checksum-algorithm", "MD4"}})),
              "InvalidRequest 400");
}

TEST_F(UploadsTest, PartsCanBeCopied) {
    put("/a-bucket/source", first + second);
    auto id = begin();
    auto copy = [&](int number, Headers headers) {
        headers.emplace_back("x-amz-copy-source", "/a-bucket/source");
        return put("/a-bucket/big?partNumber=" + std::to_string(number) + "&uploadId=" + id, "", headers);
    };
    auto a = copy(1, {{"x-amz-copy-source-range", "bytes=0-5242879"}});
    EXPECT_EQ(a.status, 200) << a.body;
    auto b = copy(2, {{"x-amz-copy-source-range", "bytes=5242880-5242979"}});
    EXPECT_EQ(refusal(copy(3, {{"x-amz-copy-source-range", "bytes=0-99999999"}})), "InvalidArgument 400");
    EXPECT_EQ(refusal(copy(3, {{"x-amz-copy-source-range", "bytes=5-"}})), "InvalidArgument 400");
    auto done = complete(id, listed(1, a.text("ETag")) + listed(2, b.text("ETag")));
    EXPECT_EQ(done.status, 200) << done.body;
    EXPECT_EQ(get("/a-bucket/big").body, first + second);
    EXPECT_EQ(put("/a-bucket/copy", "", {{"x-amz-copy-source", "a-bucket/big"}}).status, 200);
    EXPECT_EQ(get("/a-bucket/copy").body, first + second);
}

TEST_F(UploadsTest, ABucketGoesWithItsOpenUploads) {
    part(begin(), 1, first);
    EXPECT_EQ(del("/a-bucket").status, 204);
}

}  // namespace
}  // namespace integreat::s3
