// SPDX-License-Identifier: Apache-2.0
#include "services/collections/privacy/export_subject.h"

#include "services/collections/privacy/erase_subject.h"
#include "services/collections/testing/school_fixture.h"

namespace integreat::collections {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::SchoolFixture;

struct PrivacyTest : SchoolFixture {
    std::string export_document(const std::vector<std::string>& identifiers) {
        auto document = export_subject(*owner_pool, *model, identifiers, Monotonic::max());
        EXPECT_TRUE(document) << document.error().message << " " << document.error().cause;
        return document ? *document : "";
    }
    // Returns all records, history and erasures of the database as text.
    std::string database_dump() {
        std::string all;
        for (const auto& collection : model->collections) {
            all += std::string(query_as_owner("SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM data." +
                                              collection.name + " AS t")
                                   .text(0, 0));
        }
        all += query_as_owner("SELECT string_agg(t::text, E'\\n') FROM integreat.changes AS t").text(0, 0);
        return all + std::string(
                         query_as_owner(
                             "SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM integreat.erasures AS t")
                             .text(0, 0));
    }
};

TEST_F(PrivacyTest, ExportContainsOnlyDataAboutThePerson) {
    query_as("student", "ana", "UPDATE data.students SET phone = '+639179999999' WHERE true");
    auto document = export_document({"ana"});
    for (const char* text :
         {"ana@school.example", "+639179999999", "+639171234567", "\"students\"", "\"by\": \"ana\""})
        EXPECT_THAT(document, HasSubstr(text));
    EXPECT_THAT(document, Not(HasSubstr("Ben")));
    EXPECT_THAT(export_document({"Ana@School.Example"}), HasSubstr("+639179999999"));
    auto teacher = export_document({"prof"});
    EXPECT_THAT(teacher, HasSubstr("\"sections\""));
    EXPECT_THAT(teacher, Not(HasSubstr("Ana")));
}

TEST_F(PrivacyTest, AnAddressInAnotherRecordGrantsNoAccess) {
    query_as_owner("INSERT INTO data.inquiries (question, email) VALUES ('Secret?', 'ben@x.example')");
    query_as_owner("UPDATE data.students SET notes = 'ben@x.example' WHERE name = 'Ana'");
    EXPECT_THAT(export_document({"ana"}), Not(HasSubstr("Secret?")));
    EXPECT_THAT(export_document({"ben@x.example"}), HasSubstr("Secret?"));
}

TEST_F(PrivacyTest, ErasureRemovesAllPersonalData) {
    query_as_owner(
        "UPDATE data.students SET address = '{\"city\": \"Cebu\"}', born = '2001-02-03' WHERE name = 'Ana'");
    query_as("student", "ana", "UPDATE data.students SET phone = '+639179999999' WHERE true");
    query_as_owner("UPDATE data.sections SET assistants = '{ben,ana}' WHERE title = 'Physics'");
    ASSERT_THAT(database_dump(), HasSubstr("Cebu"));
    auto erased = erase_subject(*owner_pool, *model, {"ana", "ana@school.example"}, Monotonic::max());
    ASSERT_TRUE(erased) << erased.error().message << " " << erased.error().cause;
    EXPECT_EQ(erased->records, 1);
    EXPECT_GE(erased->changes, 3);
    auto all = database_dump();
    for (const char* erased_text :
         {"ana@school.example", "Ana", "+639179999999", "+639171234567", "Cebu", "2001-02-03"})
        EXPECT_THAT(all, Not(HasSubstr(erased_text)));
    EXPECT_EQ(query_as_owner(
                  "SELECT count(*) FROM integreat.changes WHERE uid = 'ana' OR before::text ~ '\"ana\"' OR "
                  "after::text ~ '\"ana\"'")
                  .integer(0, 0),
              0);
    EXPECT_EQ(
        query_as_owner("SELECT count(*) FROM data.sections WHERE 'ana' = ANY (assistants)").integer(0, 0), 0);
    EXPECT_EQ(
        query_as_owner(
            "SELECT count(*) FROM data.sections WHERE assistants[1] = 'ben' AND assistants[2] ~ '^erased:'")
            .integer(0, 0),
        1);
    EXPECT_EQ(query_as_owner("SELECT count(*) FROM integreat.erasures WHERE records = 1").integer(0, 0), 2);
    EXPECT_THAT(all, HasSubstr("Ben")) << "other records are unchanged";
    EXPECT_EQ(query_as_owner("SELECT count(*) FROM data.enrollments").integer(0, 0), 2)
        << "the records remain, without personal data";
    EXPECT_EQ(query_as("student", "ana", "SELECT id FROM data.students").rows->size(), 0u);
}

TEST_F(PrivacyTest, ErasureCleansTheHistoryOfDeletedRecords) {
    auto id = insert_returning_id(
        "INSERT INTO data.inquiries (question, email) VALUES ('Where is Cara?', 'Cara@c.example')");
    query_as_owner("DELETE FROM data.inquiries WHERE id = '" + id + "'");
    ASSERT_THAT(database_dump(), HasSubstr("Cara@c.example"));
    ASSERT_TRUE(erase_subject(*owner_pool, *model, {"cara@c.example"}, Monotonic::max()));
    EXPECT_THAT(database_dump(), Not(HasSubstr("Cara")));
}

TEST_F(PrivacyTest, IdentifiersAreValidated) {
    EXPECT_FALSE(export_subject(*owner_pool, *model, {}, Monotonic::max()));
    EXPECT_FALSE(export_subject(*owner_pool, *model, {""}, Monotonic::max()));
    std::vector<std::string> many(identifiers_max + 1, "x");
    EXPECT_FALSE(erase_subject(*owner_pool, *model, many, Monotonic::max()));
    EXPECT_THAT(export_document({R"(x"},\{$1)"}), HasSubstr("\"changes\": []"));
}

}  // namespace
}  // namespace integreat::collections
