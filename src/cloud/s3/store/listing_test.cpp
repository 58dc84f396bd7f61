// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/testing/storage_fixture.h"

namespace integreat::s3 {
namespace {

class ListingTest : public StorageTest {
protected:
    struct Listing {
        std::vector<std::string> keys;
        std::vector<std::string> prefixes;
        bool truncated;
        std::string last;
    };
    Listing list(ListingScope scope, std::string_view after = "") {
        scope.bucket = bucket.id;
        auto transaction = storage->index->read();
        auto page = list_objects(*transaction, scope, after);
        EXPECT_TRUE(page);
        Listing listing{
            .keys = {}, .prefixes = page->prefixes, .truncated = page->truncated, .last = page->last};
        for (const auto& object : page->entries)
            listing.keys.push_back(object.key);
        return listing;
    }
    using Names = std::vector<std::string>;
};

TEST_F(ListingTest, OrdersKeysByTheirBytes) {
    for (const char* key : {"b", "a", "B", "é", "a/b", "a!", "\xf0\x9f\x98\x80", "z"})
        put(key, "x");
    EXPECT_EQ(list({}).keys, (Names{"B", "a", "a!", "a/b", "b", "z", "é", "\xf0\x9f\x98\x80"}));
}

TEST_F(ListingTest, GroupsKeysByDelimiter) {
    for (const char* key : {"photos/2025/a.jpg", "photos/2025/b.jpg", "photos/2026/c.jpg", "photos/d.jpg",
                            "notes.txt", "photos", "photos0"})
        put(key, "x");
    auto top = list({.delimiter = "/"});
    EXPECT_EQ(top.keys, (Names{"notes.txt", "photos", "photos0"}));
    EXPECT_EQ(top.prefixes, (Names{"photos/"}));
    auto folder_page = list({.prefix = "photos/", .delimiter = "/"});
    EXPECT_EQ(folder_page.keys, (Names{"photos/d.jpg"}));
    EXPECT_EQ(folder_page.prefixes, (Names{"photos/2025/", "photos/2026/"}));
    EXPECT_EQ(list({.prefix = "photos/2025"}).keys.size(), 2u);
    auto odd = list({.delimiter = "os"});
    EXPECT_EQ(odd.keys, (Names{"notes.txt"}));
    EXPECT_EQ(odd.prefixes, (Names{"photos"}));
}

TEST_F(ListingTest, ContinuesAfterTheLastPage) {
    for (const char* key : {"a", "b/1", "b/2", "b/3", "c", "d/1", "e"})
        put(key, "x");
    for (int count = 1; count <= 6; ++count) {
        Names listed;
        std::string after;
        for (;;) {
            auto page = list({.delimiter = "/", .count_max = count}, after);
            EXPECT_LE(page.keys.size() + page.prefixes.size(), static_cast<std::size_t>(count));
            listed.insert(listed.end(), page.keys.begin(), page.keys.end());
            listed.insert(listed.end(), page.prefixes.begin(), page.prefixes.end());
            if (!page.truncated) break;
            after = page.last;
        }
        std::sort(listed.begin(), listed.end());
        EXPECT_EQ(listed, (Names{"a", "b/", "c", "d/", "e"})) << count;
    }
}

TEST_F(ListingTest, AnEmptyPageIsNotTruncated) {
    put("a", "x");
    EXPECT_FALSE(list({.count_max = 0}).truncated);
    EXPECT_FALSE(list({.count_max = 1}).truncated);
    EXPECT_TRUE(list({.prefix = "b"}).keys.empty());
    EXPECT_TRUE(list({}, "a").keys.empty());
}

TEST_F(ListingTest, SeparatesBuckets) {
    put("a", "x");
    auto other = make_bucket("b-bucket");
    auto transaction = storage->index->read();
    EXPECT_TRUE(list_objects(*transaction, {.bucket = other.id}, "")->entries.empty());
    EXPECT_FALSE(*find_object(*transaction, other.id, "a"));
}

class VersionsTest : public ListingTest {
protected:
    // Returns "key size" or "key marker" per version; the newest version has a star.
    Names list_all(ListingScope scope = {}, std::string_view after = "",
                   RequestedVersion name = std::nullopt) {
        scope.bucket = bucket.id;
        auto transaction = storage->index->read();
        auto page = list_versions(*transaction, scope, after, name);
        EXPECT_TRUE(page);
        Names versions;
        for (const auto& object : page->entries) {
            versions.push_back(object.key + (object.marker ? " marker" : " " + std::to_string(object.size)) +
                               (object.latest ? "*" : ""));
        }
        return versions;
    }
};

TEST_F(VersionsTest, AVersionedBucketKeepsAllVersions) {
    version(Versioning::enabled);
    auto first = put("key", "1");
    auto second = put("key", "22");
    EXPECT_EQ(first.version.size(), 32u);
    EXPECT_NE(first.version, second.version);
    EXPECT_EQ(list_all(), (Names{"key 2*", "key 1"}));
    EXPECT_EQ(read(*find("key")), "22");
    EXPECT_EQ(read(*find("key", first.version)), "1");

    auto deleted = remove("key");
    ASSERT_TRUE(deleted.marker);
    EXPECT_EQ(list_all(), (Names{"key marker*", "key 2", "key 1"}));
    EXPECT_TRUE(find("key")->marker);
    EXPECT_TRUE(list({}).keys.empty());

    EXPECT_TRUE(remove("key", deleted.marker->version).removed->marker);
    EXPECT_EQ(list({}).keys, (Names{"key"}));
    remove("key", second.version);
    EXPECT_EQ(list_all(), (Names{"key 1*"}));
    EXPECT_EQ(read(*find("key")), "1");
}

TEST_F(VersionsTest, TheNullVersionIsReplacedWhileSuspended) {
    put("key", "before");
    version(Versioning::enabled);
    auto kept = put("key", "22");
    EXPECT_EQ(list_all(), (Names{"key 2*", "key 6"}));
    version(Versioning::suspended);
    put("key", "333");
    EXPECT_EQ(list_all(), (Names{"key 3*", "key 2"}));
    put("key", "4444");
    EXPECT_EQ(list_all(), (Names{"key 4*", "key 2"}));
    EXPECT_EQ(read(*find("key", "null")), "4444");
    auto deleted = remove("key");
    EXPECT_EQ(to_version_id(*deleted.marker), "null");
    EXPECT_EQ(list_all(), (Names{"key marker*", "key 2"}));
    EXPECT_EQ(read(*find("key", kept.version)), "22");
}

TEST_F(VersionsTest, VersionIdsAreUnguessable) {
    version(Versioning::enabled);
    auto object = put("key", "1");
    EXPECT_FALSE(find("key", make_version_id(object.sequence, random)));
    EXPECT_FALSE(find("key", "nonsense"));
    EXPECT_FALSE(find("other", object.version));
}

TEST_F(VersionsTest, ContinuesAfterDeletedVersions) {
    version(Versioning::enabled);
    for (int i = 0; i < 3; ++i) {
        put("a", "1");
        put("b/1", "1");
        put("c", "1");
    }
    std::size_t count = 0;
    std::string after;
    std::optional<std::string> id;
    for (int pages = 0; pages < 20; ++pages) {
        auto page = [&] {
            auto transaction = storage->index->read();
            return *list_versions(*transaction, {.bucket = bucket.id, .count_max = 2}, after, id);
        }();
        for (const auto& object : page.entries)
            remove(object.key, to_version_id(object));
        count += page.entries.size();
        if (!page.truncated) break;
        after = page.entries.back().key;
        id = to_version_id(page.entries.back());
    }
    EXPECT_EQ(count, 9u);
    EXPECT_TRUE(list_all().empty());
}

TEST_F(VersionsTest, GroupsVersionsByDelimiter) {
    version(Versioning::enabled);
    put("a", "1");
    put("b/1", "1");
    put("b/2", "1");
    put("c", "1");
    auto transaction = storage->index->read();
    auto page = list_versions(*transaction, {.bucket = bucket.id, .delimiter = "/"}, "", std::nullopt);
    EXPECT_EQ(page->prefixes, (Names{"b/"}));
    EXPECT_EQ(page->entries.size(), 2u);
}

TEST_F(ListingTest, ListsUploadsByKeyAndAge) {
    std::vector<Upload> uploads;
    for (const char* key : {"b", "a", "b", "c/1"}) {
        Upload upload{
            .number = next_number(*storage), .key = key, .started = clock.now(), .initiator = "arn"};
        upload.id = make_version_id(upload.number, random);
        ASSERT_TRUE(
            commit(*storage, [&](WriteBatch& batch) { return insert_upload(batch, bucket.id, upload); }));
        uploads.push_back(upload);
    }
    auto transaction = storage->index->read();
    auto page = list_uploads(*transaction, {.bucket = bucket.id, .delimiter = "/", .count_max = 2}, "", "");
    ASSERT_EQ(page->entries.size(), 2u);
    EXPECT_TRUE(page->truncated);
    EXPECT_EQ(page->entries[1].id, uploads[0].id);
    auto rest = list_uploads(*transaction, {.bucket = bucket.id, .delimiter = "/"}, "b", uploads[0].id);
    ASSERT_EQ(rest->entries.size(), 1u);
    EXPECT_EQ(rest->entries[0].id, uploads[2].id);
    EXPECT_EQ(rest->prefixes, (Names{"c/"}));
    EXPECT_TRUE(*find_upload(*transaction, bucket.id, "b", uploads[2].id));
    EXPECT_FALSE(*find_upload(*transaction, bucket.id, "a", uploads[2].id));
}

}  // namespace
}  // namespace integreat::s3
