// SPDX-License-Identifier: Apache-2.0
#include "services/collections/changes/change_feed.h"

#include <condition_variable>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>

#include "services/collections/schema/table_definitions.h"
#include "services/collections/testing/api_test_client.h"

namespace integreat::collections {
namespace {

using namespace std::chrono_literals;
using testing::Calls;

// A client that follows: takes what its source makes, as the transport would.
class Client {
public:
    explicit Client(http::Stream stream)
        : source_(std::move(std::get<std::unique_ptr<http::BodySource>>(stream.body))) {}

    struct Event {
        std::string id, type, data;
        std::string text(std::string_view member) const {
            return testing::Answer{.status = 200, .headers = {}, .body = data, .type = {}}.text(member);
        }
    };

    // The next event; one without a type at the end of the stream, or when none comes in time.
    Event next(std::chrono::milliseconds most = 10s) {
        while (true) {
            auto end = text_.find("\n\n");
            if (end == std::string::npos) {
                if (!take(most)) return {};
                continue;
            }
            auto event = parse(text_.substr(0, end + 1));
            text_.erase(0, end + 2);
            if (!event.id.empty()) last_id = event.id;
            if (!event.type.empty()) return event;
        }
    }
    bool ended() const { return ended_; }

    std::string last_id;

private:
    static Event parse(const std::string& text) {
        Event event;
        for (std::size_t at = 0; at < text.size();) {
            auto line = text.substr(at, text.find('\n', at) - at);
            at += line.size() + 1;
            if (line.starts_with("id: ")) event.id = line.substr(4);
            if (line.starts_with("event: ")) event.type = line.substr(7);
            if (line.starts_with("data: ")) event.data += line.substr(6);
        }
        return event;
    }

    bool take(std::chrono::milliseconds most) {
        if (ended_) return false;
        http::Demand demand{.bytes = 1024, .wake = wake_};
        auto before = text_.size();
        auto pace = source_->produce(text_, demand);
        ended_ = pace == http::Pace::end;
        if (pace != http::Pace::idle || text_.size() > before) return true;
        auto rung = bell_->rung.lock();
        bool came = bell_->changed.wait_for(rung.lock(), most, [&] { return *rung; });
        *rung = false;
        return came;
    }

    // A wake may come when the stream is long over.
    struct Bell {
        Guarded<bool> rung{false};
        std::condition_variable changed;
    };
    std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
    http::Wake wake_ = [bell = bell_] {
        *bell->rung.lock() = true;
        bell->changed.notify_one();
    };
    std::unique_ptr<http::BodySource> source_;
    std::string text_;
    bool ended_ = false;
};

FeedLimits quick() {
    return {.look_each = 50ms, .look_each_when_told = 60s};
}

class FeedTest : public ::testing::Test {
protected:
    Client follow(const std::string& collection, const std::string& caller, const std::string& last = {}) {
        http::Headers headers;
        if (!last.empty()) headers.add("Last-Event-ID", last);
        return Client(calls.open("/" + collection + "/changes", caller, std::move(headers)));
    }
    std::string section(const std::string& title) {
        auto made = calls.send("POST", "/sections", "r1:registrar", R"({"title":")" + title + "\"}");
        EXPECT_EQ(made.status, 201) << made.body;
        return made.id();
    }
    std::string student(const std::string& user) {
        auto made = calls.send("POST", "/students", "r1:registrar",
                               R"({"user":")" + user + R"(","name":"N","email":")" + user + "@school.ph\"}");
        EXPECT_EQ(made.status, 201) << made.body;
        return made.id();
    }
    postgres::Transaction insert_section(const char* title) {
        auto transaction = calls.pool->begin(calls.model->app);
        EXPECT_TRUE(transaction);
        transaction->act_as(
            {.role = database_role(calls.model->app, "registrar"), .uid = "r1", .request = "r"});
        auto made = transaction->execute("INSERT INTO data.sections (title) VALUES ($1)", {title});
        EXPECT_TRUE(made) << made.error().cause;
        return *std::move(transaction);
    }

    // Processes that the database makes notices for, once there are `wanted`; what there is in the end else.
    std::int64_t followers(std::int64_t wanted) {
        auto soon = std::chrono::steady_clock::now() + 10s;
        std::int64_t there = -1;
        while (there != wanted && std::chrono::steady_clock::now() < soon) {
            auto rows = calls.pool->run(calls.model->app, Monotonic::max(),
                                        "SELECT count(*) FROM integreat.followers WHERE until > now()", {});
            EXPECT_TRUE(rows) << rows.error().cause;
            if (!rows) return there;
            there = rows->integer(0, 0);
        }
        return there;
    }

    Calls calls{quick()};
};

TEST_F(FeedTest, TellsOfEachChangeByItsName) {
    auto client = follow("announcements", "p1:professor");
    auto made = calls.send("POST", "/announcements", "p1:professor", R"({"body":"No class"})");
    auto created = client.next();
    EXPECT_EQ(created.type, "created");
    EXPECT_EQ(created.data, made.body);
    auto path = "/announcements/" + made.id();
    calls.send("PATCH", path, "p1:professor", R"({"body":"Class"})");
    auto updated = client.next();
    EXPECT_EQ(updated.type, "updated");
    EXPECT_EQ(updated.text("body"), "Class");
    calls.send("POST", path + "/publish", "p1:professor");
    auto published = client.next();
    EXPECT_EQ(published.type, "publish");
    EXPECT_EQ(published.text("state"), "published");
    EXPECT_NE(published.id, updated.id);
}

TEST_F(FeedTest, TellsOfDeletionsOnlyThoseWhoReadEverything) {
    auto id = section("A");
    auto anybody = follow("sections", "");
    EXPECT_EQ(calls.send("DELETE", "/sections/" + id, "r1:registrar").status, 204);
    auto deleted = anybody.next();
    EXPECT_EQ(deleted.type, "deleted");
    EXPECT_EQ(deleted.data, R"({"id":")" + id + "\"}");

    auto own = follow("announcements", "p1:professor");
    auto made = calls.send("POST", "/announcements", "p1:professor", R"({"body":"Gone"})");
    EXPECT_EQ(own.next().type, "created");
    EXPECT_EQ(calls.send("DELETE", "/announcements/" + made.id(), "p1:professor").status, 204);
    calls.send("POST", "/announcements", "p1:professor", R"({"body":"Next"})");
    EXPECT_EQ(own.next().text("body"), "Next");
}

TEST_F(FeedTest, NobodyHearsOfRecordsOrFieldsThatTheyMayNotRead) {
    auto mine = follow("students", "s1:student");
    auto other = follow("students", "s2:student");
    auto professor = follow("students", "p1:professor");
    auto registrar = follow("students", "r1:registrar");
    auto first = student("s1");
    auto second = student("s2");
    EXPECT_EQ(registrar.next().text("id"), first);
    EXPECT_EQ(registrar.next().text("id"), second);
    EXPECT_EQ(mine.next().text("id"), first);
    EXPECT_EQ(other.next().text("id"), second);
    // Once somebody is taught by p1, they see the name, and no e-mail address.
    auto taught = calls.send("POST", "/sections", "r1:registrar", R"({"title":"T","professor":"p1"})").id();
    calls.send("POST", "/enrollments", "r1:registrar",
               R"({"student":")" + second + R"(","section":")" + taught + "\"}");
    calls.send("PATCH", "/students/" + second, "r1:registrar", R"({"name":"New"})");
    auto seen = professor.next();
    EXPECT_EQ(seen.type, "updated");
    EXPECT_EQ(seen.text("id"), second);
    EXPECT_EQ(seen.text("name"), "New");
    EXPECT_EQ(seen.data.find("email"), std::string::npos);
    EXPECT_EQ(mine.next(200ms).type, "");
    EXPECT_FALSE(mine.ended());
}

TEST_F(FeedTest, ALateCommitIsToldAndNeverSkipped) {
    auto client = follow("sections", "");
    auto early = insert_section("begun first");
    {
        auto late = insert_section("committed first");
        ASSERT_TRUE(late.commit());
    }
    EXPECT_EQ(client.next(300ms).type, "") << "nothing is told while an older transaction runs";
    auto place = client.last_id;
    ASSERT_TRUE(early.commit());
    EXPECT_EQ(client.next().text("title"), "begun first");
    EXPECT_EQ(client.next().text("title"), "committed first");
    auto again = follow("sections", "", place);
    EXPECT_EQ(again.next().text("title"), "begun first");
    EXPECT_EQ(again.next().text("title"), "committed first");
}

TEST_F(FeedTest, HasNoticesMadeOnlyWhileSomebodyListens) {
    EXPECT_EQ(followers(0), 0);
    {
        auto client = follow("sections", "");
        EXPECT_EQ(followers(1), 1);
        auto second = follow("announcements", "p1:professor");
        section("heard");
        EXPECT_EQ(client.next().text("title"), "heard");
        EXPECT_EQ(followers(1), 1);
    }
    EXPECT_EQ(followers(0), 0);
    auto other = std::make_unique<Feed>(FeedSettings{.app = calls.model->app,
                                                     .process = "00000000-0000-4000-8000-000000000002",
                                                     .pool = [&] { return calls.pool.get(); },
                                                     .listening_url = [&] { return calls.database.pool.url; },
                                                     .limits = quick()},
                                        calls.clock);
    auto listener = std::make_shared<Listener>();
    listener->plan = compile_plan(calls.model);
    listener->collection = &listener->plan->of("sections");
    listener->position = {INT64_MAX, 0};  // Nothing is asked for in its name.
    auto source = other->follow(listener);
    EXPECT_EQ(followers(1), 1);
    other.reset();
    EXPECT_EQ(followers(0), 0);
}

TEST_F(FeedTest, HearsWhoBeganToWriteBeforeNoticesWereAskedFor) {
    auto early = insert_section("unnoticed");
    auto client = follow("sections", "");
    EXPECT_EQ(followers(1), 1);
    ASSERT_TRUE(early.commit());
    EXPECT_EQ(client.next().text("title"), "unnoticed");
}

TEST_F(FeedTest, ResumesWithoutMissingOrRepeating) {
    std::vector<std::string> heard;
    std::string last;
    {
        auto client = follow("sections", "");
        section("0");
        heard.push_back(client.next().text("title"));
        last = client.last_id;
    }
    for (int i = 1; i <= 450; ++i)
        ASSERT_TRUE(insert_section(std::to_string(i).c_str()).commit());
    while (heard.size() < 451) {
        auto client = follow("sections", "", last);  // Comes back after each 100.
        for (int i = 0; i < 100 && heard.size() < 451; ++i) {
            auto event = client.next();
            ASSERT_EQ(event.type, "created") << heard.size() << " heard, the last at " << client.last_id;
            heard.push_back(event.text("title"));
        }
        last = client.last_id;
    }
    for (std::size_t i = 0; i < heard.size(); ++i)
        EXPECT_EQ(heard[i], std::to_string(i));
    auto client = follow("sections", "", last);
    section("last");
    EXPECT_EQ(client.next().text("title"), "last");
}

TEST_F(FeedTest, APlaceThatIsNotKnownMeansToReadAfresh) {
    for (const auto* id : {"9000000000000000000-1", "nonsense", "-1-1", "99999999999999999999-1", "1"}) {
        auto client = follow("sections", "", id);
        EXPECT_EQ(client.next().type, "reset") << id;
        auto made = section(std::string("after ") + id);
        EXPECT_EQ(client.next().text("id"), made);
    }
    auto by_query = Client(calls.open("/sections/changes?after=nonsense", ""));
    EXPECT_EQ(by_query.next().type, "reset");
    EXPECT_EQ(calls.send("GET", "/sections/changes?since=1", "").status, 400);
}

TEST_F(FeedTest, WhoIsTooFarBehindReadsAfresh) {
    section("first");
    auto client = follow("sections", "");
    client.next(10ms);
    auto behind = client.last_id;
    auto transaction = insert_section("many");
    auto more = transaction.execute(
        "INSERT INTO data.sections (title) SELECT 'n' || i FROM generate_series(1, 10000) AS i");
    ASSERT_TRUE(more) << more.error().cause;
    ASSERT_TRUE(transaction.commit());
    auto late = follow("sections", "", behind);
    EXPECT_EQ(late.next().type, "reset");
}

TEST_F(FeedTest, EndsWithTheToken) {
    calls.token_lasts = 60s;
    auto client = follow("sections", "s1:student");
    client.next(10ms);
    calls.clock.advance(58s);
    calls.feed->serve("");  // The thread looks at the clock again.
    EXPECT_EQ(client.next(100ms).type, "");
    EXPECT_FALSE(client.ended());
    calls.clock.advance(1s);
    calls.feed->serve("");
    EXPECT_EQ(client.next().type, "expired");
    EXPECT_EQ(client.next().type, "");
    EXPECT_TRUE(client.ended());
}

TEST_F(FeedTest, EndsWhenTheCollectionsChange) {
    auto client = follow("sections", "");
    calls.feed->serve(fingerprint_of(*calls.model));
    section("still there");
    EXPECT_EQ(client.next().type, "created");
    calls.feed->serve("others");
    EXPECT_EQ(client.next().type, "");
    EXPECT_TRUE(client.ended());
}

TEST_F(FeedTest, ASlowListenerIsLeftBehindAndCaughtUp) {
    auto client = follow("announcements", "p1:professor");
    std::string body(1'900, 'x');
    for (int i = 0; i < 300; ++i) {
        auto made = calls.send("POST", "/announcements", "p1:professor", R"({"body":")" + body + "\"}");
        ASSERT_EQ(made.status, 201) << made.body;
    }
    for (int i = 0; i < 300; ++i)
        ASSERT_EQ(client.next().type, "created") << i;
}

TEST(FeedLimitsTest, AreReached) {
    Calls calls({.listeners_max = 3, .listeners_of_caller_max = 2});
    auto open = [&](const char* caller) { return calls.open("/sections/changes", caller); };
    auto first = open("s1:student");
    {
        auto second = open("s1:student");
        auto refused = calls.send("GET", "/sections/changes", "s1:student");
        EXPECT_EQ(refused.status, 429);
        EXPECT_EQ(refused.type, "limit-reached");
        EXPECT_TRUE(refused.headers.contains("Retry-After"));
        auto other = open("s2:student");
        EXPECT_EQ(calls.send("GET", "/sections/changes", "s3:student").status, 503);
    }
    EXPECT_EQ(calls.feed->listeners(), 1u);
    auto again = open("s1:student");
    EXPECT_EQ(calls.feed->listeners(), 2u);
}

TEST(FeedFaultTest, RecoversWhenPostgresComesBack) {
    auto own = postgres::testing::start_server();
    Calls calls(*own->server, quick());
    auto make = [&](const std::string& title) {
        return calls.send("POST", "/sections", "r1:registrar", R"({"title":")" + title + "\"}").status;
    };
    Client client(calls.open("/sections/changes", ""));
    ASSERT_EQ(make("before"), 201);
    EXPECT_EQ(client.next().text("title"), "before");
    kill(own->server->pid(), SIGKILL);
    while (own->server->restarts() < 1)
        std::this_thread::yield();
    int status = 503;
    while (status == 503)
        status = make("after");
    ASSERT_EQ(status, 201);
    EXPECT_EQ(client.next(30s).text("title"), "after");
    ASSERT_EQ(make("later"), 201);
    EXPECT_EQ(client.next().text("title"), "later");
}

}  // namespace
}  // namespace integreat::collections
