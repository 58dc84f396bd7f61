// SPDX-License-Identifier: Apache-2.0
// CSV export and import with a real database.
#include <atomic>
#include <limits>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>

#include "formats/csv.h"
#include "http/transport/application.h"
#include "http/transport/buffered.h"
#include "services/collections/testing/api_test_client.h"

namespace integreat::collections {
namespace {

using testing::ApiResponse;
using testing::ApiTestClient;
using ::testing::HasSubstr;
using ::testing::Not;

class CsvTest : public ::testing::Test {
protected:
    std::string exported(const std::string& target, const std::string& caller = "r1:registrar") {
        auto whole = http::buffer_response(client.open(target, caller), 64 << 20, std::chrono::seconds(5));
        EXPECT_TRUE(whole) << target;
        return whole ? whole->body : "";
    }
    ApiResponse import(const std::string& collection, std::string table,
                       const std::string& caller = "r1:registrar") {
        return client.send("POST", "/" + collection + "/import", caller, std::move(table),
                           {{"Content-Type", "text/csv"}});
    }
    std::string count(const std::string& collection) {
        auto sums = client.send("GET", "/" + collection + "/aggregate", "r1:registrar");
        return sums.body;
    }
    // Returns CSV with the columns name and email and `number` records, numbered from `first`.
    static std::string people(int first, int number) {
        std::string table = "name,email\r\n";
        for (int i = first; i < first + number; ++i)
            table += "N" + std::to_string(i * 7 % 100) + ",e" + std::to_string(i) + "@x.ph\r\n";
        return table;
    }

    ApiTestClient client;
};

TEST_F(CsvTest, RoundTripsEveryType) {
    const std::string sections = "?sort=title&fields=title,professor,assistants,capacity,units,fee,room";
    const std::vector<std::string> bodies{
        R"j({"title": "=HYPERLINK(\"x\")", "professor": "+p", "assistants": ["a,b", "\"c\"", "\\"],
             "units": "12.50", "fee": {"amount": 9223372036854775807}, "room": "two\r\nlines, \"quoted\""})j",
        R"j({"title": "'=1", "professor": "-12", "capacity": 500, "units": -0.05, "fee": {"amount": 1},
             "room": ""})j",
        R"j({"title": " Ñandú ", "assistants": [], "fee": {"amount": 9007199254740993}})j"};
    for (const auto& body : bodies)
        ASSERT_EQ(client.send("POST", "/sections", "r1:registrar", body).status, 201) << body;
    auto before = exported("/sections/export.csv" + sections);
    EXPECT_THAT(before, HasSubstr("92233720368547758.07"));
    EXPECT_THAT(before, HasSubstr("\"'=HYPERLINK(\"\"x\"\")\""));
    for (const auto& id : client.send("GET", "/sections", "r1:registrar").ids())
        ASSERT_EQ(client.send("DELETE", "/sections/" + id, "r1:registrar").status, 204);
    auto created = import("sections", before);
    ASSERT_EQ(created.status, 201) << created.body;
    EXPECT_EQ(created.body, R"({"imported":3})");
    EXPECT_EQ(exported("/sections/export.csv" + sections), before);

    const std::string people = "?fields=user,name,email,phone,address,born,program,notes";
    auto students =
        import("students",
               "\xEF\xBB\xBFuser,name,email,phone,address,born,program,notes\n"
               "s1,Ana,Ana@X.ph,0917 123 4567,\"{\"\"city\"\":\"\"Cebu\"\"}\",2005-02-28,bsit,\"\"\n");
    ASSERT_EQ(students.status, 201) << students.body;
    EXPECT_THAT(exported("/students/export.csv" + people),
                HasSubstr("\r\ns1,Ana,Ana@x.ph,+639171234567,\"{"));
    auto student = client.send("GET", "/students", "r1:registrar").ids().front();
    auto section = client.send("GET", "/sections", "r1:registrar").ids().front();
    auto enrolled =
        import("enrollments", "student,section,tuition\n" + student + "," + section + ",1500.5\n");
    ASSERT_EQ(enrolled.status, 201) << enrolled.body;
    EXPECT_EQ(exported("/enrollments/export.csv?fields=student,section,tuition,paid"),
              "student,section,tuition,paid\r\n" + student + "," + section + ",1500.50,0.00\r\n");
}

TEST_F(CsvTest, RoundTripsObjectsListsAndTimes) {
    auto body = R"({"body": "\tx", "tags": ["a", "=b", ""], "extra": {"n": -1.5, "t": ["\u0001", null]},
                    "until": "2026-11-23T08:15:00.123456+08:00", "pinned": true,
                    "poster": {"key": "a/b.pdf", "bytes": 12}})";
    ASSERT_EQ(client.send("POST", "/announcements", "r1:registrar", body).status, 201);
    const std::string target = "/announcements/export.csv?fields=body,tags,extra,until,pinned,poster";
    auto table = exported(target);
    EXPECT_THAT(table, HasSubstr("2026-11-23T00:15:00.123456Z,true,"));
    auto created = import("announcements", table);
    ASSERT_EQ(created.status, 201) << created.body;
    auto line = table.substr(table.find("\r\n") + 2);
    EXPECT_EQ(exported(target), table + line);
}

TEST_F(CsvTest, ExportsOnlyReadableRecordsAndFields) {
    ASSERT_EQ(import("students", "user,name,email\ns1,Ana,a@x.ph\ns2,Ben,b@x.ph\n").status, 201);
    auto own = exported("/students/export.csv", "s1:student");
    EXPECT_THAT(own, HasSubstr("a@x.ph"));
    EXPECT_THAT(own, Not(HasSubstr("b@x.ph")));
    EXPECT_EQ(exported("/students/export.csv?fields=name", "p1:professor"), "name\r\n");
    EXPECT_THAT(exported("/students/export.csv", "p1:professor"), Not(HasSubstr("email")));
    EXPECT_EQ(client.send("GET", "/students/export.csv?fields=email", "p1:professor").status, 400);
    EXPECT_EQ(client.send("GET", "/students/export.csv", "x:none").status, 403);
    EXPECT_EQ(import("students", people(1, 1), "s1:student").status, 403);
    EXPECT_EQ(import("students", people(1, 1), "").status, 403);
}

TEST_F(CsvTest, ExportsWithFiltersButWithoutPagination) {
    ASSERT_EQ(import("students", people(0, 120)).status, 201);
    auto stream = client.open("/students/export.csv", "r1:registrar");
    EXPECT_EQ(stream.headers.value("Content-Disposition"), "attachment; filename=\"students.csv\"");
    EXPECT_TRUE(stream.blocking);
    EXPECT_EQ(exported("/students/export.csv?email=eq.e5@x.ph&fields=email,name"),
              "email,name\r\ne5@x.ph,N35\r\n");
    EXPECT_EQ(exported("/students/export.csv?sort=-email&fields=email&email=in.(e1@x.ph,e2@x.ph)"),
              "email\r\ne2@x.ph\r\ne1@x.ph\r\n");
    for (const char* query : {"?limit=5", "?next=x", "?expand=x", "?nme=1", "?sort=x"})
        EXPECT_EQ(client.send("GET", std::string("/students/export.csv") + query, "r1:registrar").status,
                  400);
}

TEST_F(CsvTest, NamesLineAndColumnOfEachError) {
    auto header = import("students", "nme,email,version,email,,phone\n1,2,3,4,5,6\n");
    EXPECT_EQ(header.status, 400);
    for (const char* words :
         {R"({"pointer":"line 1, nme","detail":"is unknown, did you mean \"name\"?"})",
          R"({"pointer":"line 1, version","detail":"is set by the platform"})",
          R"({"pointer":"line 1, email","detail":"is given twice"})",
          R"({"pointer":"line 1, column 5","detail":"has no name"})",
          R"({"pointer":"line 1, name","detail":"is required, but there is no such column"})"})
        EXPECT_THAT(header.body, HasSubstr(words));
    auto cells = import(
        "sections", "title,capacity,fee,units\r\n\"a\nb\",0,-1,x\r\n,5,1.005,1\r\nc,5\r\n\r\nd,1,1,1\r\n");
    EXPECT_EQ(cells.status, 400);
    for (const char* words :
         {R"({"pointer":"line 2, capacity","detail":"must be at least 1"})",
          R"({"pointer":"line 2, fee","detail":"must be at least 0"})", R"("line 2, units")",
          R"({"pointer":"line 4, title","detail":"is required"})",
          R"({"pointer":"line 4, fee","detail":"must be an amount of PHP, such as 1500.00"})",
          R"({"pointer":"line 5","detail":"has 2 fields, but the header has 4"})"})
        EXPECT_THAT(cells.body, HasSubstr(words));
    EXPECT_THAT(cells.body, Not(HasSubstr("line 7")));
    EXPECT_THAT(import("sections", "title\na\"b\n").body, HasSubstr(R"("line 2")"));
    EXPECT_THAT(import("sections", "title\nok\n\xFF\n").body,
                HasSubstr(R"({"pointer":"line 3","detail":"is not UTF-8"})"));
    EXPECT_THAT(import("sections", "").body, HasSubstr("must contain the column names"));
    EXPECT_THAT(import("sections", "title\n").body, HasSubstr("must be followed by at least one record"));
    std::string many = "name,email\n";
    for (int i = 0; i < 150; ++i)
        many += "x,not an address\n";
    auto rejected = import("students", many);
    EXPECT_THAT(rejected.body, HasSubstr("line 101, email"));
    EXPECT_THAT(rejected.body, HasSubstr(R"({"pointer":"line 102, email","detail":"and more)"));
    EXPECT_THAT(rejected.body, Not(HasSubstr("line 103")));
}

TEST_F(CsvTest, ImportsAtomicallyAndNamesTheRejectedLine) {
    ASSERT_EQ(import("students", people(1'000, 1)).status, 201);
    auto before = count("students");
    auto table = people(0, 700) + "Twin,e1000@x.ph\r\n" + people(2'000, 600).substr(12);
    auto rejected = import("students", table);
    EXPECT_EQ(rejected.status, 409) << rejected.body;
    EXPECT_EQ(rejected.type, "already-exists");
    EXPECT_THAT(rejected.body, HasSubstr(R"({"pointer":"line 702, email","detail":"is already in use"})"));
    EXPECT_EQ(count("students"), before);
    auto twice = import("students", people(3'000, 600) + "Twin,e3001@x.ph\r\n");
    EXPECT_THAT(twice.body, HasSubstr("line 602, email"));
    EXPECT_EQ(count("students"), before);
    auto unread = import("enrollments",
                         "student,section\n00000000-0000-7000-8000-000000000000,"
                         "00000000-0000-7000-8000-000000000000\n");
    EXPECT_EQ(unread.status, 400);
    EXPECT_THAT(unread.body, HasSubstr(R"("line 2, )"));
}

TEST_F(CsvTest, NamesEachLineTheDatabaseRejects) {
    ASSERT_EQ(import("students", people(1'000, 3)).status, 201);
    auto before = count("students");
    // Three e-mail addresses are in use and one occurs twice, far apart among valid lines.
    auto rejected = import("students", people(0, 300) + "A,e1000@x.ph\r\n" + people(300, 700).substr(12) +
                                           "B,e1001@x.ph\r\n\"C\",e1002@x.ph\r\nD,e5@x.ph\r\n");
    EXPECT_EQ(rejected.status, 409) << rejected.body;
    EXPECT_EQ(rejected.type, "already-exists");
    EXPECT_THAT(rejected.body, HasSubstr("4 records were rejected; `errors` lists each location."));
    for (const auto* line : {"302", "1003", "1004", "1005"})
        EXPECT_THAT(rejected.body, HasSubstr("{\"pointer\":\"line " + std::string(line) +
                                             ", email\",\"detail\":\"is already in use\"}"));
    EXPECT_EQ(count("students"), before);

    auto all =
        import("students", people(1'000, 3) + people(5'000, 2).substr(12) + people(1'000, 3).substr(12));
    EXPECT_THAT(all.body, HasSubstr("6 records were rejected"));
    EXPECT_THAT(all.body, Not(HasSubstr("line 5,")));
    auto section = client.send("POST", "/sections", "r1:registrar", R"({"title": "S"})").id();
    auto student = client.send("GET", "/students?limit=1", "r1:registrar").ids().front();
    const std::string unknown_id = "00000000-0000-7000-8000-000000000000";
    auto mixed = import("enrollments", "student,section\n" + unknown_id + "," + section + "\n" + student +
                                           "," + section + "\n" + student + "," + section + "\n" + student +
                                           "," + unknown_id + "\n");
    EXPECT_EQ(mixed.status, 400) << "as the first of them";
    EXPECT_THAT(mixed.body, HasSubstr(R"({"pointer":"line 2, student","detail":"there is no such record"})"));
    EXPECT_THAT(mixed.body, HasSubstr(R"({"pointer":"line 4, student","detail":"is already in use"})"));
    EXPECT_THAT(mixed.body, HasSubstr(R"({"pointer":"line 5, section","detail":"there is no such record"})"));
}

TEST_F(CsvTest, FindsRejectedRecordsWithASingleConnection) {
    ASSERT_EQ(import("students", people(1, 2)).status, 201);
    auto one = client.database.pool;
    one.max_connections = 1;
    client.pool = std::make_unique<postgres::Pool>(one, client.clock);
    auto table = import("students", people(1, 2));
    EXPECT_THAT(table.body, HasSubstr("2 records were rejected"));
    auto list = client.send("POST", "/students", "r1:registrar",
                            R"([{"name": "A", "email": "e1@x.ph"}, {"name": "B", "email": "e2@x.ph"}])");
    EXPECT_THAT(list.body, HasSubstr("2 records were rejected"));
    EXPECT_EQ(client.pool->counters().waits, 0u);
}

TEST_F(CsvTest, LimitsReportedErrors) {
    ASSERT_EQ(import("students", people(0, 400)).status, 201);
    auto rejected = import("students", people(0, 400));
    EXPECT_THAT(rejected.body, HasSubstr("100 records were rejected"));
    EXPECT_THAT(rejected.body, HasSubstr("line 101, email"));
    EXPECT_THAT(rejected.body, HasSubstr(R"({"pointer":"line 101","detail":"and more)"));
    EXPECT_THAT(rejected.body, Not(HasSubstr("line 102")));
}

// Includes amounts that a conversion to double would change.
TEST_F(CsvTest, NeverRoundsMoney) {
    std::minstd_rand random(20261123);
    auto any = [&] {
        return static_cast<std::int64_t>(random()) << 32 | static_cast<std::int64_t>(random()) << 1;
    };
    std::vector<std::int64_t> amounts{
        0, 1, 99, 100, 9007199254740993, std::numeric_limits<std::int64_t>::max()};
    for (int i = 0; i < 300; ++i)
        amounts.push_back(any() >> (random() % 60));
    std::string bodies = "[";
    for (std::size_t i = 0; i < amounts.size(); ++i)
        bodies += std::string(i == 0 ? "" : ",") + R"({"title": "n)" + std::to_string(i) +
                  R"(", "fee": {"amount": )" + std::to_string(amounts[i]) + "}}";
    ASSERT_EQ(client.send("POST", "/sections", "r1:registrar", bodies + "]").status, 201);
    const std::string target = "/sections/export.csv?fields=title,fee";
    auto table = exported(target);
    ASSERT_EQ(import("sections", table).status, 201);
    std::multiset<std::string> lines;
    std::istringstream both(exported(target));
    for (std::string line; std::getline(both, line);)
        lines.insert(line);
    std::istringstream once(table);
    std::string line;
    std::getline(once, line);
    while (std::getline(once, line))
        EXPECT_EQ(lines.count(line), 2u) << line;
    for (std::size_t i = 0; i < amounts.size(); i += 7) {
        auto twins =
            client.send("GET", "/sections?fields=fee&title=eq.n" + std::to_string(i), "r1:registrar");
        auto fee = R"("fee":{"amount":)" + std::to_string(amounts[i]) + ",";
        auto first = twins.body.find(fee);
        ASSERT_NE(first, twins.body.npos) << twins.body;
        EXPECT_NE(twins.body.find(fee, first + 1), twins.body.npos) << twins.body;
    }
}

TEST_F(CsvTest, AcceptsDifferentEmptyFieldsPerLine) {
    auto created = import(
        "students", "name,email,phone,program\nA,a@x.ph,,bsit\nB,b@x.ph,09171234567,\nC,c@x.ph,,bscs\n");
    ASSERT_EQ(created.status, 201) << created.body;
    EXPECT_EQ(exported("/students/export.csv?fields=name,phone,program&sort=name"),
              "name,phone,program\r\nA,,bsit\r\nB,+639171234567,\r\nC,,bscs\r\n");
}

TEST_F(CsvTest, LimitsRecordsPerImport) {
    client.set_import_limits({.max_records = 1'000});
    std::string table = "title\n";
    for (int i = 0; i < 1'000; ++i)
        table += "x\n";
    EXPECT_EQ(import("sections", table).body, R"({"imported":1000})");
    auto rejected = import("sections", table + "x\n");
    EXPECT_EQ(rejected.status, 400);
    EXPECT_THAT(rejected.body, HasSubstr("line 1002"));
    EXPECT_THAT(rejected.body, HasSubstr("at most 1000 records"));
    EXPECT_EQ(count("sections"), R"({"items":[{"count":1000}]})");
}

TEST_F(CsvTest, LimitsConcurrentImports) {
    client.set_import_limits({.max_concurrent = 0});
    auto rejected = import("students", people(0, 1));
    EXPECT_EQ(rejected.status, 429);
    EXPECT_EQ(rejected.type, "limit-reached");
    EXPECT_EQ(rejected.headers.value("Retry-After"), "10");
    EXPECT_THAT(rejected.body, HasSubstr("imports.max_concurrent"));
}

TEST_F(CsvTest, StreamsEachStableRecordOnceInSmallChunks) {
    ASSERT_EQ(import("students", people(0, 5'000)).status, 201);
    auto stream = client.open("/students/export.csv?fields=email", "r1:registrar");
    auto& source = *std::get<std::unique_ptr<http::BodyStream>>(stream.body);
    std::atomic<bool> over = false;
    std::atomic<int> rounds = 0;
    std::thread others([&] {
        for (int i = 10'000; !over; i += 20) {
            EXPECT_EQ(import("students", people(i, 20), "r2:registrar").status, 201);
            auto created = client.send("GET", "/students?limit=20&sort=-created_at", "a1:admin");
            for (const auto& id : created.ids()) {
                auto one = client.send("GET", "/students/" + id, "a1:admin");
                if (one.text("created_by") == "r2") client.send("DELETE", "/students/" + id, "a1:admin");
            }
            ++rounds;
            rounds.notify_one();
        }
    });
    std::string text;
    std::size_t largest = 0, chunks = 0;
    http::Waker waker = [] {};
    for (auto status = http::ReadStatus::ready; status == http::ReadStatus::ready; ++chunks) {
        std::string chunk;
        status = source.read(chunk, {.bytes = 64 * 1024, .waker = waker});
        EXPECT_NE(status, http::ReadStatus::error);
        largest = std::max(largest, chunk.size());
        text += chunk;
        if (chunks == 2) rounds.wait(0);
    }
    over = true;
    others.join();
    EXPECT_GE(chunks, 10u);
    EXPECT_LE(largest, 64u * 1024);
    std::multiset<std::string> emails;
    auto reading = formats::make_csv_parser(text);
    formats::CsvRecord record;
    while (*formats::parse_csv_record(reading, record))
        emails.insert(record.cells[0].text);
    for (int i = 0; i < 5'000; ++i)
        ASSERT_EQ(emails.count("e" + std::to_string(i) + "@x.ph"), 1u) << i;
}

TEST_F(CsvTest, AbortsWhenTheDatabaseIsLost) {
    ASSERT_EQ(import("students", people(0, 200)).status, 201);
    auto stream = client.open("/students/export.csv", "r1:registrar");
    auto& source = *std::get<std::unique_ptr<http::BodyStream>>(stream.body);
    http::Waker waker = [] {};
    std::string chunk;
    EXPECT_EQ(source.read(chunk, {.bytes = 1, .waker = waker}), http::ReadStatus::ready);
    client.disconnect_database();
    EXPECT_EQ(source.read(chunk, {.bytes = 1, .waker = waker}), http::ReadStatus::error);
    EXPECT_EQ(client.send("GET", "/students/export.csv", "r1:registrar").status, 503);
    EXPECT_EQ(import("students", people(0, 1)).status, 503);
}

}  // namespace
}  // namespace integreat::collections
