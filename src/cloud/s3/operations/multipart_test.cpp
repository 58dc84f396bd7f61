// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/store/limits.h"
#include "cloud/s3/testing/s3_fixture.h"
#include "crypto/crc.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace integreat::s3 {
namespace {

class MultipartTest : public S3Test {
protected:
    std::string create_upload(Headers headers = {}) {
        auto created = post("/a-bucket/big?uploads", "", std::move(headers));
        EXPECT_EQ(created.status, 200) << created.body;
        return created.text("UploadId");
    }
    ReceivedResponse part(const std::string& id, int number, const std::string& bytes, Headers headers = {}) {
        return put("/a-bucket/big?partNumber=" + std::to_string(number) + "&uploadId=" + id, bytes,
                   std::move(headers));
    }
    static std::string part_xml(int number, std::string_view etag, const std::string& more = "") {
        return "<Part><ETag>" + std::string(etag) + "</ETag>" + more + "<PartNumber>" +
               std::to_string(number) + "</PartNumber></Part>";
    }
    ReceivedResponse complete(const std::string& id, const std::string& parts, Headers headers = {}) {
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
    const std::string first = random_bytes(part_bytes_min, 1), second = random_bytes(100, 2);
};

TEST_F(MultipartTest, PartsAreCombinedIntoOneObject) {
    auto id = create_upload({{"Content-Type", "text/csv"}, {"x-amz-meta-a", "1"}, {"x-amz-tagging", "t=1"}});
    auto b = std::string(part(id, 2, second).headers.value("ETag"));
    auto a = std::string(part(id, 1, first).headers.value("ETag"));
    EXPECT_EQ(all(get("/a-bucket/big?uploadId=" + id), "PartNumber"), (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(all(get("/a-bucket?uploads"), "UploadId"), (std::vector<std::string>{id}));
    EXPECT_EQ(error_of(get("/a-bucket/big")), "NoSuchKey 404");
    auto response = complete(id, part_xml(1, a) + part_xml(2, b));
    EXPECT_EQ(response.status, 200) << response.body;
    auto raw = [](const std::string& bytes) { return crypto::hash(crypto::HashAlgorithm::md5, bytes); };
    auto etag = crypto::hex_encode(crypto::hash(crypto::HashAlgorithm::md5, raw(first) + raw(second))) + "-2";
    EXPECT_EQ(response.text("ETag"), "&quot;" + etag + "&quot;");
    auto got = get("/a-bucket/big");
    EXPECT_EQ(got.body, first + second);
    EXPECT_EQ(got.headers.value("ETag"), "\"" + etag + "\"");
    EXPECT_EQ(got.headers.value("Content-Type"), "text/csv");
    EXPECT_EQ(got.headers.value("x-amz-tagging-count"), "1");
    auto across = get("/a-bucket/big", {{"Range", "bytes=5242878-5242881"}});
    EXPECT_EQ(across.body, (first + second).substr(5242878, 4));
    auto part_response = get("/a-bucket/big?partNumber=2");
    EXPECT_EQ(part_response.status, 206);
    EXPECT_EQ(part_response.body, second);
    EXPECT_EQ(part_response.headers.value("x-amz-mp-parts-count"), "2");
    EXPECT_EQ(error_of(get("/a-bucket/big?partNumber=3")), "InvalidPartNumber 416");
    EXPECT_EQ(error_of(complete(id, part_xml(1, a) + part_xml(2, b))), "NoSuchUpload 404");
    EXPECT_TRUE(all(get("/a-bucket?uploads"), "UploadId").empty());
}

TEST_F(MultipartTest, ChecksTheCompletedPartsAgainstTheUploadedOnes) {
    auto id = create_upload();
    auto a = std::string(part(id, 1, second).headers.value("ETag"));
    auto b = std::string(part(id, 2, second).headers.value("ETag"));
    EXPECT_EQ(error_of(complete(id, part_xml(2, b) + part_xml(1, a))), "InvalidPartOrder 400");
    EXPECT_EQ(error_of(complete(id, part_xml(1, a) + part_xml(1, a))), "InvalidPartOrder 400");
    EXPECT_EQ(error_of(complete(id, part_xml(1, "\"0\""))), "InvalidPart 400");
    EXPECT_EQ(error_of(complete(id, part_xml(3, a))), "InvalidPart 400");
    auto small = complete(id, part_xml(1, a) + part_xml(2, b));
    EXPECT_EQ(error_of(small), "EntityTooSmall 400");
    EXPECT_EQ(small.text("ProposedSize"), "100");
    EXPECT_EQ(error_of(complete(id, "")), "MalformedXML 400");
    EXPECT_EQ(error_of(complete(id, "<Part/>")), "MalformedXML 400");
    EXPECT_EQ(error_of(complete("unknown", part_xml(1, a))), "NoSuchUpload 404");
    EXPECT_EQ(error_of(complete(id, part_xml(1, a), {{"x-amz-mp-object-size", "5"}})), "InvalidRequest 400");
    EXPECT_EQ(complete(id, part_xml(1, a)).status, 200);
    EXPECT_EQ(get("/a-bucket/big").body, second);
}

TEST_F(MultipartTest, ChecksPartNumbersAndUploadIds) {
    auto id = create_upload();
    EXPECT_EQ(error_of(part(id, 0, "x")), "InvalidArgument 400");
    EXPECT_EQ(error_of(part(id, 10'001, "x")), "InvalidArgument 400");
    EXPECT_EQ(error_of(part("unknown", 1, "x")), "NoSuchUpload 404");
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
    EXPECT_EQ(error_of(del("/a-bucket/big?uploadId=" + id)), "NoSuchUpload 404");
}

TEST_F(MultipartTest, ACompositeChecksumCoversTheChecksumsOfTheParts) {
    auto id = create_upload({{"x-amz-checksum-algorithm", "CRC32"}});
    EXPECT_EQ(error_of(part(id, 1, first)), "InvalidRequest 400");
    auto a = part(id, 1, first, {{"x-amz-checksum-crc32", crc(first)}});
    auto b = part(id, 2, second, {{"x-amz-checksum-crc32", crc(second)}});
    EXPECT_EQ(b.headers.value("x-amz-checksum-crc32"), crc(second));
    auto sum = [&](const std::string& of) { return "<ChecksumCRC32>" + crc(of) + "</ChecksumCRC32>"; };
    auto etag = [](const ReceivedResponse& received) { return std::string(received.headers.value("ETag")); };
    EXPECT_EQ(error_of(complete(id, part_xml(1, etag(a)) + part_xml(2, etag(b)))), "InvalidRequest 400");
    EXPECT_EQ(error_of(complete(id, part_xml(1, etag(a), sum(second)) + part_xml(2, etag(b), sum(second)))),
              "InvalidPart 400");
    auto response = complete(id, part_xml(1, etag(a), sum(first)) + part_xml(2, etag(b), sum(second)));
    auto raw = [](const std::string& of) { return *crypto::base64_decode(crc(of)); };
    EXPECT_EQ(response.text("ChecksumCRC32"), crc(raw(first) + raw(second)) + "-2");
    EXPECT_EQ(response.text("ChecksumType"), "COMPOSITE");
    auto response_head = head("/a-bucket/big", {{"x-amz-checksum-mode", "ENABLED"}});
    EXPECT_EQ(response_head.headers.value("x-amz-checksum-type"), "COMPOSITE");
}

TEST_F(MultipartTest, AFullObjectChecksumCoversAllBytes) {
    auto id = create_upload({{"x-amz-checksum-algorithm", "CRC32"}, {"x-amz-checksum-type", "FULL_OBJECT"}});
    auto a = part(id, 1, first, {{"x-amz-checksum-crc32", crc(first)}});
    auto b = part(id, 2, second, {{"x-amz-checksum-crc32", crc(second)}});
    auto parts = part_xml(1, a.headers.value("ETag")) + part_xml(2, b.headers.value("ETag"));
    EXPECT_EQ(error_of(complete(id, parts, {{"x-amz-checksum-crc32", "AAAAAA=="}})), "BadDigest 400");
    auto response = complete(id, parts, {{"x-amz-checksum-crc32", crc(first + second)}});
    EXPECT_EQ(response.text("ChecksumCRC32"), crc(first + second)) << response.body;
    EXPECT_EQ(
        error_of(post("/a-bucket/big?uploads", "",
                      {{"x-amz-checksum-algorithm", "SHA256"}, {"x-amz-checksum-type", "FULL_OBJECT"}})),
        "InvalidRequest 400");
    EXPECT_EQ(error_of(post("/a-bucket/big?uploads", "", {{"x-amz-checksum-algorithm", "MD4"}})),
              "InvalidRequest 400");
}

TEST_F(MultipartTest, PartsCanBeCopied) {
    put("/a-bucket/source", first + second);
    auto id = create_upload();
    auto copy = [&](int number, Headers headers) {
        headers.emplace_back("x-amz-copy-source", "/a-bucket/source");
        return put("/a-bucket/big?partNumber=" + std::to_string(number) + "&uploadId=" + id, "", headers);
    };
    auto a = copy(1, {{"x-amz-copy-source-range", "bytes=0-5242879"}});
    EXPECT_EQ(a.status, 200) << a.body;
    auto b = copy(2, {{"x-amz-copy-source-range", "bytes=5242880-5242979"}});
    EXPECT_EQ(error_of(copy(3, {{"x-amz-copy-source-range", "bytes=0-99999999"}})), "InvalidArgument 400");
    EXPECT_EQ(error_of(copy(3, {{"x-amz-copy-source-range", "bytes=5-"}})), "InvalidArgument 400");
    auto response = complete(id, part_xml(1, a.text("ETag")) + part_xml(2, b.text("ETag")));
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(get("/a-bucket/big").body, first + second);
    EXPECT_EQ(put("/a-bucket/copy", "", {{"x-amz-copy-source", "a-bucket/big"}}).status, 200);
    EXPECT_EQ(get("/a-bucket/copy").body, first + second);
}

TEST_F(MultipartTest, DeletesABucketWithOpenUploads) {
    part(create_upload(), 1, first);
    EXPECT_EQ(del("/a-bucket").status, 204);
}

}  // namespace
}  // namespace integreat::s3
