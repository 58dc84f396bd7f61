// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/testing/s3_fixture.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace integreat::s3 {
namespace {

TEST_F(S3Test, ReturnsStoredObjects) {
    auto response =
        put("/a-bucket/a/b.txt", "hello world",
            {{"Content-Type", "text/plain"}, {"x-amz-meta-color", "blue"}, {"Cache-Control", "max-age=5"}});
    EXPECT_EQ(response.status, 200) << response.body << cause;
    EXPECT_EQ(response.headers.value("ETag"), "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"");
    EXPECT_EQ(response.headers.value("x-amz-server-side-encryption"), "AES256");
    auto got = get("/a-bucket/a/b.txt");
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, "hello world");
    EXPECT_EQ(got.headers.value("Content-Type"), "text/plain");
    EXPECT_EQ(got.headers.value("x-amz-meta-color"), "blue");
    EXPECT_EQ(got.headers.value("Cache-Control"), "max-age=5");
    EXPECT_EQ(got.headers.value("ETag"), response.headers.value("ETag"));
    EXPECT_EQ(got.headers.value("Last-Modified"), format_http_date(clock.now()));
    EXPECT_EQ(got.headers.value("Accept-Ranges"), "bytes");
    auto head_response = head("/a-bucket/a/b.txt");
    EXPECT_EQ(head_response.status, 200);
    EXPECT_EQ(head_response.headers.value("Content-Length"), "11");
    EXPECT_TRUE(head_response.body.empty());
    EXPECT_EQ(events, (std::vector<std::string>{"ObjectCreated:Put a/b.txt"}));
}

TEST_F(S3Test, StoresKeysOfAnyText) {
    for (const char* key : {"p/a%20b%2Bc.txt", "%C3%A9t%C3%A9", "a%26b%3Cc%3E%22", "plus+plus"}) {
        EXPECT_EQ(put(std::string("/a-bucket/") + key, key).status, 200) << key;
        EXPECT_EQ(get(std::string("/a-bucket/") + key).body, key);
    }
    auto listed = get("/a-bucket?list-type=2");
    EXPECT_EQ(all(listed, "Key"),
              (std::vector<std::string>{"a&amp;b&lt;c&gt;&quot;", "p/a b+c.txt", "plus+plus", "été"}));
    auto encoded = get("/a-bucket?list-type=2&encoding-type=url");
    EXPECT_EQ(all(encoded, "Key"), (std::vector<std::string>{"a%26b%3Cc%3E%22", "p/a%20b%2Bc.txt",
                                                             "plus%2Bplus", "%C3%A9t%C3%A9"}));
    EXPECT_EQ(encoded.text("EncodingType"), "url");
}

TEST_F(S3Test, ReadsLargeObjectsFromFiles) {
    auto bytes = random_bytes(300'000);
    EXPECT_EQ(put("/a-bucket/large", bytes).status, 200);
    EXPECT_EQ(get("/a-bucket/large").body, bytes);
    auto part = get("/a-bucket/large", {{"Range", "bytes=1000-1999"}});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, bytes.substr(1000, 1000));
    EXPECT_EQ(part.headers.value("Content-Range"), "bytes 1000-1999/300000");
}

TEST_F(S3Test, FollowsTheStandardForRanges) {
    put("/a-bucket/k", "0123456789");
    auto ranged = [&](const char* range) {
        auto got = get("/a-bucket/k", {{"Range", range}});
        return std::to_string(got.status) + " " + (got.status < 300 ? got.body : got.text("Code"));
    };
    EXPECT_EQ(ranged("bytes=2-5"), "206 2345");
    EXPECT_EQ(ranged("bytes=7-"), "206 789");
    EXPECT_EQ(ranged("bytes=-3"), "206 789");
    EXPECT_EQ(ranged("bytes=8-100"), "206 89");
    EXPECT_EQ(ranged("bytes=-100"), "206 0123456789");
    EXPECT_EQ(ranged("bytes=10-"), "416 InvalidRange");
    EXPECT_EQ(ranged("bytes=-0"), "416 InvalidRange");
    EXPECT_EQ(ranged("bytes=5-2"), "200 0123456789");
    EXPECT_EQ(ranged("bytes=0-1,4-5"), "200 0123456789");
    EXPECT_EQ(ranged("lines=1-2"), "200 0123456789");
    EXPECT_EQ(get("/a-bucket/k", {{"Range", "bytes=0-1"}, {"If-Range", "\"other\""}}).status, 200);
    put("/a-bucket/empty", "");
    EXPECT_EQ(get("/a-bucket/empty", {{"Range", "bytes=0-"}}).status, 416);
    EXPECT_EQ(get("/a-bucket/empty").status, 200);
}

TEST_F(S3Test, EvaluatesConditionsInTheStandardOrder) {
    put("/a-bucket/k", "hello world");
    std::string etag = "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"", other = "\"0\"";
    auto now = format_http_date(clock.now()), before = format_http_date(clock.now() - std::chrono::hours(1));
    auto status = [&](Headers headers) { return get("/a-bucket/k", std::move(headers)).status; };
    EXPECT_EQ(status({{"If-Match", etag}}), 200);
    EXPECT_EQ(status({{"If-Match", other + ", " + etag}}), 200);
    EXPECT_EQ(status({{"If-Match", other}}), 412);
    EXPECT_EQ(status({{"If-None-Match", etag}}), 304);
    EXPECT_EQ(status({{"If-None-Match", "*"}}), 304);
    EXPECT_EQ(status({{"If-None-Match", other}}), 200);
    EXPECT_EQ(status({{"If-Modified-Since", now}}), 304);
    EXPECT_EQ(status({{"If-Modified-Since", before}}), 200);
    EXPECT_EQ(status({{"If-Unmodified-Since", before}}), 412);
    EXPECT_EQ(status({{"If-Unmodified-Since", before}, {"If-Match", etag}}), 200);
    EXPECT_EQ(status({{"If-Modified-Since", now}, {"If-None-Match", other}}), 200);
    auto fresh = get("/a-bucket/k", {{"If-None-Match", etag}});
    EXPECT_TRUE(fresh.body.empty());
    EXPECT_EQ(fresh.headers.value("ETag"), etag);
}

TEST_F(S3Test, SupportsConditionalWrites) {
    EXPECT_EQ(put("/a-bucket/k", "1", {{"If-None-Match", "*"}}).status, 200);
    EXPECT_EQ(error_of(put("/a-bucket/k", "2", {{"If-None-Match", "*"}})), "PreconditionFailed 412");
    EXPECT_EQ(error_of(put("/a-bucket/k", "2", {{"If-Match", "\"0\""}})), "PreconditionFailed 412");
    EXPECT_EQ(error_of(put("/a-bucket/none", "2", {{"If-Match", "\"0\""}})), "NoSuchKey 404");
    auto etag = std::string(get("/a-bucket/k").headers.value("ETag"));
    EXPECT_EQ(put("/a-bucket/k", "2", {{"If-Match", etag}}).status, 200);
    EXPECT_EQ(get("/a-bucket/k").body, "2");
}

TEST_F(S3Test, VerifiesDeclaredChecksums) {
    auto md5 = [](std::string_view bytes) {
        return crypto::base64_encode(crypto::hash(crypto::HashAlgorithm::md5, bytes));
    };
    EXPECT_EQ(put("/a-bucket/k", "text", {{"Content-MD5", md5("text")}}).status, 200);
    EXPECT_EQ(error_of(put("/a-bucket/k", "text", {{"Content-MD5", md5("other")}})), "BadDigest 400");
    EXPECT_EQ(error_of(put("/a-bucket/k", "text", {{"Content-MD5", "nonsense"}})), "InvalidDigest 400");
    auto good = put("/a-bucket/k", "hello world", {{"x-amz-checksum-crc32", "DUoRhQ=="}});
    EXPECT_EQ(good.status, 200);
    EXPECT_EQ(good.headers.value("x-amz-checksum-crc32"), "DUoRhQ==");
    EXPECT_EQ(good.headers.value("x-amz-checksum-type"), "FULL_OBJECT");
    EXPECT_EQ(error_of(put("/a-bucket/k", "hello world", {{"x-amz-checksum-crc32", "AAAAAA=="}})),
              "BadDigest 400");
    EXPECT_EQ(error_of(put("/a-bucket/k", "x", {{"x-amz-checksum-crc32", "AAAA"}})), "InvalidRequest 400");
    EXPECT_EQ(error_of(put("/a-bucket/k", "x",
                           {{"x-amz-checksum-crc32", "AAAAAA=="}, {"x-amz-checksum-crc32c", "AAAAAA=="}})),
              "InvalidRequest 400");
    // The CRC of an empty body in the query of presigned URLs is not a declared checksum.
    EXPECT_EQ(put("/a-bucket/k?x-amz-checksum-crc32=AAAAAA%3D%3D", "x").status, 200);
}

TEST_F(S3Test, ReturnsChecksumsOnRequestExceptWithARange) {
    put("/a-bucket/k", "hello world", {{"x-amz-checksum-crc32", "DUoRhQ=="}});
    EXPECT_FALSE(get("/a-bucket/k").headers.contains("x-amz-checksum-crc32"));
    Headers request_headers{{"x-amz-checksum-mode", "ENABLED"}};
    EXPECT_EQ(get("/a-bucket/k", request_headers).headers.value("x-amz-checksum-crc32"), "DUoRhQ==");
    EXPECT_EQ(head("/a-bucket/k", request_headers).headers.value("x-amz-checksum-crc32"), "DUoRhQ==");
    request_headers.emplace_back("Range", "bytes=0-3");
    EXPECT_FALSE(get("/a-bucket/k", request_headers).headers.contains("x-amz-checksum-crc32"));
    auto attributes =
        get("/a-bucket/k?attributes", {{"x-amz-object-attributes", "ETag,Checksum,ObjectSize"}});
    EXPECT_EQ(attributes.text("ChecksumCRC32"), "DUoRhQ==");
    EXPECT_EQ(attributes.text("ObjectSize"), "11");
}

TEST_F(S3Test, ErrorsNameTheMissingResource) {
    auto missing = get("/a-bucket/none");
    EXPECT_EQ(error_of(missing), "NoSuchKey 404");
    EXPECT_EQ(missing.text("Message"), "The specified key does not exist.");
    EXPECT_EQ(missing.text("Key"), "none");
    EXPECT_EQ(missing.text("Resource"), "/a-bucket/none");
    EXPECT_EQ(missing.text("RequestId"), missing.headers.value("x-amz-request-id"));
    EXPECT_FALSE(missing.text("HostId").empty());
    EXPECT_EQ(error_of(get("/no-bucket/none")), "NoSuchBucket 404");
    EXPECT_EQ(error_of(put("/no-bucket/k", "x")), "NoSuchBucket 404");
    EXPECT_EQ(error_of(put("/a-bucket/" + std::string(1025, 'k'), "x")), "KeyTooLongError 400");
    EXPECT_EQ(error_of(get("/a-bucket/none?versionId=")), "InvalidArgument 400");
    EXPECT_EQ(error_of(get("/a-bucket/none?versionId=abc")), "NoSuchVersion 404");
    EXPECT_EQ(error_of(put("/a-bucket/k?acl", "x")), "NotImplemented 501");
    EXPECT_EQ(error_of(put("/a-bucket/k", "x", {{"x-amz-acl", "public-read"}})),
              "AccessControlListNotSupported 400");
    EXPECT_EQ(error_of(put("/a-bucket/k", "x", {{"x-amz-meta-a", std::string(2049, 'x')}})),
              "MetadataTooLarge 400");
    EXPECT_EQ(error_of(put("/a-bucket/k", "x", {{"x-amz-storage-class", "GLACIER"}})),
              "InvalidStorageClass 400");
}

TEST_F(S3Test, ChecksTheLengthOfTheBody) {
    // The length is not signed by every client, so it can be changed.
    cloud::testing::RequestSpec spec{.method = http::Method::put,
                                     .target = "/a-bucket/k",
                                     .service = "s3",
                                     .headers = {},
                                     .body = "12345"};
    auto request = cloud::testing::unsigned_request(spec);
    request.headers.remove("Content-Length");
    cloud::testing::sign(request, spec, {.id = access_key_id, .secret = "secret"}, clock.now());
    request.headers.set("Content-Length", "6");
    EXPECT_EQ(error_of(send(request)), "IncompleteBody 400");
    request.headers.set("Content-Length", "4");
    EXPECT_EQ(error_of(send(request)), "IncompleteBody 400");
    request.headers.set("Content-Length", "5368709121");
    EXPECT_EQ(error_of(send(request)), "EntityTooLarge 400");
    request.headers.remove("Content-Length");
    EXPECT_EQ(error_of(send(request)), "MissingContentLength 411");
    EXPECT_EQ(error_of(get("/a-bucket/k")), "NoSuchKey 404");
}

TEST_F(S3Test, CopiesMetadataAndTagsAsDirected) {
    put("/a-bucket/from%20here", "bytes", {{"x-amz-meta-a", "1"}, {"x-amz-tagging", "t=1"}});
    Headers source{{"x-amz-copy-source", "a-bucket/from%20here"}};
    auto copied = put("/a-bucket/to", "", source);
    EXPECT_EQ(copied.status, 200) << copied.body;
    EXPECT_EQ(copied.text("ETag"), "&quot;4b3a6218bb3e3a7303e8a171a60fcf92&quot;");
    auto got = get("/a-bucket/to");
    EXPECT_EQ(got.body, "bytes");
    EXPECT_EQ(got.headers.value("x-amz-meta-a"), "1");
    EXPECT_EQ(got.headers.value("x-amz-tagging-count"), "1");
    auto replacing = source;
    replacing.emplace_back("x-amz-metadata-directive", "REPLACE");
    replacing.emplace_back("x-amz-meta-b", "2");
    replacing.emplace_back("x-amz-checksum-algorithm", "SHA256");
    auto replaced = put("/a-bucket/from%20here", "", replacing);
    EXPECT_EQ(replaced.status, 200) << replaced.body;
    EXPECT_FALSE(replaced.text("ChecksumSHA256").empty());
    got = head("/a-bucket/from%20here");
    EXPECT_FALSE(got.headers.contains("x-amz-meta-a"));
    EXPECT_EQ(got.headers.value("x-amz-meta-b"), "2");
    EXPECT_EQ(error_of(put("/a-bucket/from%20here", "", source)), "InvalidRequest 400");
    EXPECT_EQ(error_of(put("/a-bucket/to", "", {{"x-amz-copy-source", "a-bucket/none"}})), "NoSuchKey 404");
    EXPECT_EQ(error_of(put("/a-bucket/to", "", {{"x-amz-copy-source", "nonsense"}})), "InvalidArgument 400");
    auto failing = source;
    failing.emplace_back("x-amz-copy-source-if-match", "\"0\"");
    EXPECT_EQ(error_of(put("/a-bucket/to", "", failing)), "PreconditionFailed 412");
}

TEST_F(S3Test, OverridesResponseHeaders) {
    put("/a-bucket/k", "x");
    auto got = get("/a-bucket/k?response-content-type=text%2Fcsv&response-content-disposition=attachment");
    EXPECT_EQ(got.headers.value("Content-Type"), "text/csv");
    EXPECT_EQ(got.headers.value("Content-Disposition"), "attachment");
    EXPECT_EQ(error_of(get("/a-bucket/k?response-content-type=a%0D%0Ab")), "InvalidArgument 400");
}

TEST_F(S3Test, DeletesManyKeysWithAResultForEach) {
    for (const char* key : {"a", "b", "c"})
        put(std::string("/a-bucket/") + key, "x");
    std::string body =
        "<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object>"
        "<Object><Key>b</Key><ETag>0</ETag></Object></Delete>";
    EXPECT_EQ(error_of(post("/a-bucket?delete", body)), "InvalidRequest 400");
    auto md5 = crypto::base64_encode(crypto::hash(crypto::HashAlgorithm::md5, body));
    auto response = post("/a-bucket/?delete=", body, {{"Content-MD5", md5}});
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(all(response, "Deleted"), (std::vector<std::string>{"<Key>a</Key>", "<Key>none</Key>"}));
    EXPECT_EQ(response.text("Code"), "PreconditionFailed");
    EXPECT_EQ(all(get("/a-bucket?list-type=2"), "Key"), (std::vector<std::string>{"b", "c"}));
    body = "<Delete><Quiet>true</Quiet><Object><Key>b</Key></Object></Delete>";
    md5 = crypto::base64_encode(crypto::hash(crypto::HashAlgorithm::md5, body));
    EXPECT_TRUE(all(post("/a-bucket?delete", body, {{"Content-MD5", md5}}), "Deleted").empty());
    std::string many = "<Delete>";
    for (int i = 0; i < 1001; ++i)
        many += "<Object><Key>k</Key></Object>";
    many += "</Delete>";
    md5 = crypto::base64_encode(crypto::hash(crypto::HashAlgorithm::md5, many));
    EXPECT_EQ(error_of(post("/a-bucket?delete", many, {{"Content-MD5", md5}})), "MalformedXML 400");
}

TEST_F(S3Test, StoresTagsWithTheirObject) {
    put("/a-bucket/k", "x", {{"x-amz-tagging", "color=blue&size=L"}});
    EXPECT_EQ(all(get("/a-bucket/k?tagging"), "Key"), (std::vector<std::string>{"color", "size"}));
    auto tagged = put("/a-bucket/k?tagging",
                      "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>");
    EXPECT_EQ(tagged.status, 200) << tagged.body;
    EXPECT_EQ(all(get("/a-bucket/k?tagging"), "Key"), (std::vector<std::string>{"a"}));
    EXPECT_EQ(del("/a-bucket/k?tagging").status, 204);
    EXPECT_TRUE(all(get("/a-bucket/k?tagging"), "Key").empty());
    EXPECT_EQ(error_of(put("/a-bucket/k", "x", {{"x-amz-tagging", "aws:x=1"}})), "InvalidTag 400");
    EXPECT_EQ(error_of(put("/a-bucket/k", "x", {{"x-amz-tagging", "a=1&a=2"}})), "InvalidTag 400");
    std::string eleven;
    for (int i = 0; i < 11; ++i)
        eleven += "t" + std::to_string(i) + "=1&";
    EXPECT_EQ(error_of(put("/a-bucket/k", "x", {{"x-amz-tagging", eleven}})), "BadRequest 400");
}

}  // namespace
}  // namespace integreat::s3
