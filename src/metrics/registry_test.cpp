// SPDX-License-Identifier: Apache-2.0
#include "metrics/registry.h"

#include <thread>

#include <gmock/gmock.h>

namespace integreat::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, WritesCountersAndGaugesAsPrometheusText) {
    Registry registry;
    registry.counter("requests_total", "Requests answered.", {{"route", "campus.me"}, {"status", "2xx"}})
        .add(3);
    registry.gauge("connections", "Open connections.").set(-2);

    EXPECT_EQ(registry.text(),
              "# HELP connections Open connections.\n"
              "# TYPE connections gauge\n"
              "connections -2\n"
              "# HELP requests_total Requests answered.\n"
              "# TYPE requests_total counter\n"
              "requests_total{route=\"campus.me\",status=\"2xx\"} 3\n");
}

TEST(Metrics, ReturnsTheSameSeriesForTheSameLabels) {
    Registry registry;
    auto& first = registry.counter("hits", "Hits.", {{"app", "teleo"}});
    auto& again = registry.counter("hits", "Hits.", {{"app", "teleo"}});
    auto& other = registry.counter("hits", "Hits.", {{"app", "campus"}});

    EXPECT_EQ(&first, &again);
    EXPECT_NE(&first, &other);
}

TEST(Metrics, EscapesLabelValues) {
    Registry registry;
    registry.counter("odd", "Odd.", {{"name", "a\"b\\c\nd"}}).add();

    EXPECT_THAT(registry.text(), HasSubstr("odd{name=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST(Metrics, CountsIntoCumulativeBuckets) {
    Registry registry;
    auto& histogram = registry.histogram("duration_seconds", "Duration.");
    histogram.observe(100);  // A value on a bound belongs to that bucket.
    histogram.observe(101);
    histogram.observe(60'000'000);  // Beyond all bounds.

    auto text = registry.text();
    EXPECT_THAT(text, HasSubstr("duration_seconds_count 3\n"));
    EXPECT_THAT(text, HasSubstr("duration_seconds_sum 60.000201\n"));
    EXPECT_THAT(text, HasSubstr("duration_seconds_bucket{le=\"0.0001\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("duration_seconds_bucket{le=\"0.00025\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("duration_seconds_bucket{le=\"30\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("duration_seconds_bucket{le=\"+Inf\"} 3\n"));
}

TEST(Metrics, SharesOneSeriesBeyondTheLimit) {
    Registry registry(2);
    auto& first = registry.counter("hits", "Hits.", {{"app", "a"}});
    registry.counter("hits", "Hits.", {{"app", "b"}});
    auto& third = registry.counter("hits", "Hits.", {{"app", "c"}});
    auto& fourth = registry.counter("hits", "Hits.", {{"app", "d"}});
    third.add();
    fourth.add();

    EXPECT_EQ(&third, &fourth);
    EXPECT_EQ(&first, &registry.counter("hits", "Hits.", {{"app", "a"}}));
    auto text = registry.text();
    EXPECT_THAT(text, HasSubstr("hits{app=\"other\"} 2\n"));
    EXPECT_THAT(text, Not(HasSubstr("\"c\"")));
}

TEST(Metrics, CountsFromSeveralThreads) {
    Registry registry;
    auto& counter = registry.counter("hits", "Hits.");
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 1000; ++n)
                counter.add();
        });
    }
    for (auto& thread : threads)
        thread.join();

    EXPECT_EQ(counter.value(), 4000u);
}

}  // namespace
}  // namespace integreat::metrics
