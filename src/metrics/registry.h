// SPDX-License-Identifier: Apache-2.0
// Counters, gauges and histograms. Look up a series once (when a route is compiled, a pool is created), keep
// the pointer and increment it: a relaxed atomic add. Label values must come from configuration, never from a
// request: the number of series is bounded, and beyond `series_max` all share the series "other".
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace integreat::metrics {

using Labels = std::map<std::string, std::string>;

class Counter {
public:
    void add(std::uint64_t count = 1) { count_.fetch_add(count, std::memory_order_relaxed); }
    std::uint64_t value() const { return count_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> count_{0};
};

class Gauge {
public:
    void add(std::int64_t change) { value_.fetch_add(change, std::memory_order_relaxed); }
    void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
    std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> value_{0};
};

// Durations in fixed buckets from 100 µs to 30 s, exported in seconds.
class Histogram {
public:
    static constexpr std::array<std::uint32_t, 16> bounds_us{
        100,    250,     500,     1'000,   2'500,     5'000,     10'000,     25'000,
        50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 10'000'000, 30'000'000};
    void observe(std::uint64_t micros);
    std::uint64_t count(std::size_t bucket) const { return buckets_[bucket].load(std::memory_order_relaxed); }
    std::uint64_t sum_us() const { return sum_us_.load(std::memory_order_relaxed); }

private:
    std::array<std::atomic<std::uint64_t>, bounds_us.size() + 1> buckets_{};
    std::atomic<std::uint64_t> sum_us_{0};
};

// All series of the process. Series live as long as the registry; equal names and labels return the same one.
class Registry {
public:
    explicit Registry(std::size_t series_max = 20'000);
    ~Registry();

    Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
    Histogram& histogram(std::string_view name, std::string_view help, const Labels& labels = {});

    // Returns the Prometheus text format 0.0.4.
    std::string text() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace integreat::metrics
