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
using testing::ApiTestClient;

// A client of an event stream: reads the body stream like the transport.
class StreamClient {
public:
    explicit StreamClient(http::StreamingResponse response)
        : source_(std::move(std::get<std::unique_ptr<http::BodyStream>>(response.body))) {}

    struct Event {
        std::string id, type, data;
        std::string text(std::string_view member) const {
            return testing::ApiResponse{.status = 200, .headers = {}, .body = data, .type = {}}.text(member);
        }
    };

    // Returns the next event; an event without a type at the end of the stream or on timeout.
    Event next(std::chrono::milliseconds timeout = 10s) {
        while (true) {
            auto end = text_.find("\n\n");
            if (end == std::string::npos) {
                if (!read_chunk(timeout)) return {};
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

    bool read_chunk(std::chrono::milliseconds timeout) {
        if (ended_) return false;
        http::ReadRequest request{.bytes = 1024, .waker = wake_};
        auto before = text_.size();
        auto status = source_->read(text_, request);
        ended_ = status == http::ReadStatus::eof;
        if (status != http::ReadStatus::pending || text_.size() > before) return true;
        auto woken = wake_flag_->woken.lock();
        bool woke = wake_flag_->changed.wait_for(woken.lock(), timeout, [&] { return *woken; });
        *woken = false;
        return woke;
    }

    // Shared, since the waker may be called after the stream has ended.
    struct WakeFlag {
        Synchronized<bool> woken{false};
        std::condition_variable changed;
    };
    std::shared_ptr<WakeFlag> wake_flag_ = std::make_shared<WakeFlag>();
    http::Waker wake_ = [wake_flag = wake_flag_] {
        *wake_flag->woken.lock() = true;
        wake_flag->changed.notify_one();
    };
    std::unique_ptr<http::BodyStream> source_;
    std::string text_;
    bool ended_ = false;
};

ChangeFeedLimits fast_limits() {
    return {.poll_interval = 50ms, .poll_interval_when_notified = 60s};
}

class ChangeFeedTest : public ::testing::Test {
protected:
    StreamClient follow(const std::string& collection, const std::string& caller,
                        const std::string& last = {}) {
        http::Headers headers;
        if (!last.empty()) headers.add("Last-Event-ID", last);
        return StreamClient(client.open("/" + collection + "/changes", caller, std::move(headers)));
    }
    std::string create_section(const std::string& title) {
        auto response = client.send("POST", "/sections", "r1:registrar", R"({"title":")" + title + "\"}");
        EXPECT_EQ(response.status, 201) << response.body;
        return response.id();
    }
    std::string create_student(const std::string& user) {
        auto response =
            client.send("POST", "/students", "r1:registrar",
                        R"({"user":")" + user + R"(","name":"N","email":")" + user + "@school.ph\"}");
        EXPECT_EQ(response.status, 201) << response.body;
        return response.id();
    }
    postgres::Transaction insert_section(const char* title) {
        auto transaction = client.pool->begin(client.model->app);
        EXPECT_TRUE(transaction);
        transaction->set_role(
            {.role = database_role(client.model->app, "registrar"), .uid = "r1", .request = "r"});
        auto response = transaction->execute("INSERT INTO data.sections (title) VALUES ($1)", {title});
        EXPECT_TRUE(response) << response.error().cause;
        return *std::move(transaction);
    }

    // Waits until the database has `expected` active notification requests; returns the last count.
    std::int64_t active_notification_requests(std::int64_t expected) {
        auto deadline = std::chrono::steady_clock::now() + 10s;
        std::int64_t count = -1;
        while (count != expected && std::chrono::steady_clock::now() < deadline) {
            auto rows = client.pool->run(client.model->app, Monotonic::max(),
                                         "SELECT count(*) FROM integreat.followers WHERE until > now()", {});
            EXPECT_TRUE(rows) << rows.error().cause;
            if (!rows) return count;
            count = rows->integer(0, 0);
        }
        return count;
    }

    ApiTestClient client{fast_limits()};
};

TEST_F(ChangeFeedTest, DeliversEachChangeWithItsEventType) {
    auto stream = follow("announcements", "p1:professor");
    auto response = client.send("POST", "/announcements", "p1:professor", R"({"body":"No class"})");
    auto created = stream.next();
    EXPECT_EQ(created.type, "created");
    EXPECT_EQ(created.data, response.body);
    auto path = "/announcements/" + response.id();
    client.send("PATCH", path, "p1:professor", R"({"body":"Class"})");
    auto updated = stream.next();
    EXPECT_EQ(updated.type, "updated");
    EXPECT_EQ(updated.text("body"), "Class");
    client.send("POST", path + "/publish", "p1:professor");
    auto published = stream.next();
    EXPECT_EQ(published.type, "publish");
    EXPECT_EQ(published.text("state"), "published");
    EXPECT_NE(published.id, updated.id);
}

TEST_F(ChangeFeedTest, DeliversDeletionsOnlyToRolesThatReadEveryRecord) {
    auto id = create_section("A");
    auto anonymous = follow("sections", "");
    EXPECT_EQ(client.send("DELETE", "/sections/" + id, "r1:registrar").status, 204);
    auto deleted = anonymous.next();
    EXPECT_EQ(deleted.type, "deleted");
    EXPECT_EQ(deleted.data, R"({"id":")" + id + "\"}");

    auto own = follow("announcements", "p1:professor");
    auto response = client.send("POST", "/announcements", "p1:professor", R"({"body":"Gone"})");
    EXPECT_EQ(own.next().type, "created");
    EXPECT_EQ(client.send("DELETE", "/announcements/" + response.id(), "p1:professor").status, 204);
    client.send("POST", "/announcements", "p1:professor", R"({"body":"Next"})");
    EXPECT_EQ(own.next().text("body"), "Next");
}

TEST_F(ChangeFeedTest, HidesRecordsAndFieldsThatTheSubscriberMayNotRead) {
    auto mine = follow("students", "s1:student");
    auto other = follow("students", "s2:student");
    auto professor = follow("students", "p1:professor");
    auto registrar = follow("students", "r1:registrar");
    auto first = create_student("s1");
    auto second = create_student("s2");
    EXPECT_EQ(registrar.next().text("id"), first);
    EXPECT_EQ(registrar.next().text("id"), second);
    EXPECT_EQ(mine.next().text("id"), first);
    EXPECT_EQ(other.next().text("id"), second);
    // Professor p1 may read the name of a student in their section, but not the e-mail address.
    auto taught = client.send("POST", "/sections", "r1:registrar", R"({"title":"T","professor":"p1"})").id();
    client.send("POST", "/enrollments", "r1:registrar",
                R"({"student":")" + second + R"(","section":")" + taught + "\"}");
    client.send("PATCH", "/students/" + second, "r1:registrar", R"({"name":"New"})");
    auto updated = professor.next();
    EXPECT_EQ(updated.type, "updated");
    EXPECT_EQ(updated.text("id"), second);
    EXPECT_EQ(updated.text("name"), "New");
    EXPECT_EQ(updated.data.find("email"), std::string::npos);
    EXPECT_EQ(mine.next(200ms).type, "");
    EXPECT_FALSE(mine.ended());
}

TEST_F(ChangeFeedTest, DeliversAChangeThatCommitsLate) {
    auto stream = follow("sections", "");
    auto early = insert_section("begun first");
    {
        auto late = insert_section("committed first");
        ASSERT_TRUE(late.commit());
    }
    EXPECT_EQ(stream.next(300ms).type, "") << "no change is delivered while an older transaction runs";
    auto offset = stream.last_id;
    ASSERT_TRUE(early.commit());
    EXPECT_EQ(stream.next().text("title"), "begun first");
    EXPECT_EQ(stream.next().text("title"), "committed first");
    auto again = follow("sections", "", offset);
    EXPECT_EQ(again.next().text("title"), "begun first");
    EXPECT_EQ(again.next().text("title"), "committed first");
}

TEST_F(ChangeFeedTest, RequestsNotificationsOnlyWhileThereAreSubscribers) {
    EXPECT_EQ(active_notification_requests(0), 0);
    {
        auto stream = follow("sections", "");
        EXPECT_EQ(active_notification_requests(1), 1);
        auto second = follow("announcements", "p1:professor");
        create_section("first");
        EXPECT_EQ(stream.next().text("title"), "first");
        EXPECT_EQ(active_notification_requests(1), 1);
    }
    EXPECT_EQ(active_notification_requests(0), 0);
    auto other = std::make_unique<ChangeFeed>(
        ChangeFeedSettings{.app = client.model->app,
                           .process = "00000000-0000-4000-8000-000000000002",
                           .pool = [&] { return client.pool.get(); },
                           .listen_url = [&] { return client.database.pool.url; },
                           .limits = fast_limits()},
        client.clock);
    auto subscriber = std::make_shared<Subscriber>();
    subscriber->plan = compile_plan(client.model);
    subscriber->collection = &subscriber->plan->collection("sections");
    subscriber->offset = {INT64_MAX, 0};  // After all changes: no query runs for it.
    auto source = other->subscribe(subscriber);
    EXPECT_EQ(active_notification_requests(1), 1);
    other.reset();
    EXPECT_EQ(active_notification_requests(0), 0);
}

TEST_F(ChangeFeedTest, DeliversChangesOfTransactionsOlderThanTheNotificationRequest) {
    auto early = insert_section("unnoticed");
    auto stream = follow("sections", "");
    EXPECT_EQ(active_notification_requests(1), 1);
    ASSERT_TRUE(early.commit());
    EXPECT_EQ(stream.next().text("title"), "unnoticed");
}

TEST_F(ChangeFeedTest, ResumesWithoutGapsOrDuplicates) {
    std::vector<std::string> received;
    std::string last;
    {
        auto stream = follow("sections", "");
        create_section("0");
        received.push_back(stream.next().text("title"));
        last = stream.last_id;
    }
    for (int i = 1; i <= 450; ++i)
        ASSERT_TRUE(insert_section(std::to_string(i).c_str()).commit());
    while (received.size() < 451) {
        auto stream = follow("sections", "", last);  // Reconnects after each 100 events.
        for (int i = 0; i < 100 && received.size() < 451; ++i) {
            auto event = stream.next();
            ASSERT_EQ(event.type, "created")
                << received.size() << " received, the last at " << stream.last_id;
            received.push_back(event.text("title"));
        }
        last = stream.last_id;
    }
    for (std::size_t i = 0; i < received.size(); ++i)
        EXPECT_EQ(received[i], std::to_string(i));
    auto stream = follow("sections", "", last);
    create_section("last");
    EXPECT_EQ(stream.next().text("title"), "last");
}

TEST_F(ChangeFeedTest, AnUnknownOffsetResetsTheClient) {
    for (const auto* id : {"9000000000000000000-1", "nonsense", "-1-1", "99999999999999999999-1", "1"}) {
        auto stream = follow("sections", "", id);
        EXPECT_EQ(stream.next().type, "reset") << id;
        auto response = create_section(std::string("after ") + id);
        EXPECT_EQ(stream.next().text("id"), response);
    }
    auto by_query = StreamClient(client.open("/sections/changes?after=nonsense", ""));
    EXPECT_EQ(by_query.next().type, "reset");
    EXPECT_EQ(client.send("GET", "/sections/changes?since=1", "").status, 400);
}

TEST_F(ChangeFeedTest, AClientTooFarBehindIsReset) {
    create_section("first");
    auto stream = follow("sections", "");
    stream.next(10ms);
    auto behind = stream.last_id;
    auto transaction = insert_section("many");
    auto more = transaction.execute(
        "INSERT INTO data.sections (title) SELECT 'n' || i FROM generate_series(1, 10000) AS i");
    ASSERT_TRUE(more) << more.error().cause;
    ASSERT_TRUE(transaction.commit());
    auto late = follow("sections", "", behind);
    EXPECT_EQ(late.next().type, "reset");
}

TEST_F(ChangeFeedTest, EndsWhenTheTokenExpires) {
    client.token_lifetime = 60s;
    auto stream = follow("sections", "s1:student");
    stream.next(10ms);
    client.clock.advance(58s);
    client.feed->set_fingerprint("");  // Wakes the thread, which reads the clock again.
    EXPECT_EQ(stream.next(100ms).type, "");
    EXPECT_FALSE(stream.ended());
    client.clock.advance(1s);
    client.feed->set_fingerprint("");
    EXPECT_EQ(stream.next().type, "expired");
    EXPECT_EQ(stream.next().type, "");
    EXPECT_TRUE(stream.ended());
}

TEST_F(ChangeFeedTest, EndsWhenTheModelChanges) {
    auto stream = follow("sections", "");
    client.feed->set_fingerprint(schema_fingerprint(*client.model));
    create_section("still there");
    EXPECT_EQ(stream.next().type, "created");
    client.feed->set_fingerprint("others");
    EXPECT_EQ(stream.next().type, "");
    EXPECT_TRUE(stream.ended());
}

TEST_F(ChangeFeedTest, ASlowSubscriberCatchesUp) {
    auto stream = follow("announcements", "p1:professor");
    std::string body(1'900, 'x');
    for (int i = 0; i < 300; ++i) {
        auto response = client.send("POST", "/announcements", "p1:professor", R"({"body":")" + body + "\"}");
        ASSERT_EQ(response.status, 201) << response.body;
    }
    for (int i = 0; i < 300; ++i)
        ASSERT_EQ(stream.next().type, "created") << i;
}

TEST(ChangeFeedLimitsTest, AreEnforced) {
    ApiTestClient client({.subscribers_max = 3, .subscribers_per_caller_max = 2});
    auto open = [&](const char* caller) { return client.open("/sections/changes", caller); };
    auto first = open("s1:student");
    {
        auto second = open("s1:student");
        auto refused = client.send("GET", "/sections/changes", "s1:student");
        EXPECT_EQ(refused.status, 429);
        EXPECT_EQ(refused.type, "limit-reached");
        EXPECT_TRUE(refused.headers.contains("Retry-After"));
        auto other = open("s2:student");
        EXPECT_EQ(client.send("GET", "/sections/changes", "s3:student").status, 503);
    }
    EXPECT_EQ(client.feed->subscriber_count(), 1u);
    auto again = open("s1:student");
    EXPECT_EQ(client.feed->subscriber_count(), 2u);
}

TEST(ChangeFeedRecoveryTest, ResumesAfterPostgresRestarts) {
    auto own = postgres::testing::start_test_server();
    ApiTestClient client(*own->server, fast_limits());
    auto make = [&](const std::string& title) {
        return client.send("POST", "/sections", "r1:registrar", R"({"title":")" + title + "\"}").status;
    };
    StreamClient stream(client.open("/sections/changes", ""));
    ASSERT_EQ(make("before"), 201);
    EXPECT_EQ(stream.next().text("title"), "before");
    kill(own->server->pid(), SIGKILL);
    while (own->server->restarts() < 1)
        std::this_thread::yield();
    int status = 503;
    while (status == 503)
        status = make("after");
    ASSERT_EQ(status, 201);
    EXPECT_EQ(stream.next(30s).text("title"), "after");
    ASSERT_EQ(make("third"), 201);
    EXPECT_EQ(stream.next().text("title"), "third");
}

}  // namespace
}  // namespace integreat::collections
