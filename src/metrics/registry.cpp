// SPDX-License-Identifier: Apache-2.0
#include "metrics/registry.h"

#include <algorithm>
#include <limits>
#include <variant>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "base/assert.h"
#include "base/concurrency/synchronized.h"

namespace integreat::metrics {

namespace {

using Series = std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;

struct Family {
    std::string help;
    prometheus::MetricType type;
    std::map<Labels, Series> series;
};

struct Families {
    std::map<std::string, Family, std::less<>> by_name;
    std::size_t series_count = 0;
};

Labels other_labels(Labels labels) {
    for (auto& [name, value] : labels)
        value = "other";
    return labels;
}

// Returns the series of these labels; creates it if there is room, else returns the family's "other".
template <class Kind>
Kind& find_or_create(Families& families, std::size_t series_max, prometheus::MetricType type,
                     std::string_view name, std::string_view help, const Labels& labels) {
    auto family = families.by_name.find(name);
    if (family == families.by_name.end()) {
        family = families.by_name.emplace(std::string(name), Family{std::string(help), type, {}}).first;
    }
    ASSERT(family->second.type == type);
    auto& series = family->second.series;
    auto found = series.find(labels);
    if (found == series.end()) {
        bool room = labels.empty() || families.series_count < series_max;
        auto [entry, inserted] = series.try_emplace(room ? labels : other_labels(labels), Series());
        if (inserted) {
            entry->second = std::make_unique<Kind>();
            ++families.series_count;
        }
        found = entry;
    }
    return *std::get<std::unique_ptr<Kind>>(found->second);
}

void fill(prometheus::ClientMetric& into, const std::unique_ptr<Counter>& counter) {
    into.counter.value = static_cast<double>(counter->value());
}

void fill(prometheus::ClientMetric& into, const std::unique_ptr<Gauge>& gauge) {
    into.gauge.value = static_cast<double>(gauge->value());
}

void fill(prometheus::ClientMetric& into, const std::unique_ptr<Histogram>& histogram) {
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i <= Histogram::bounds_us.size(); ++i) {
        cumulative += histogram->count(i);
        double bound = i < Histogram::bounds_us.size() ? Histogram::bounds_us[i] / 1e6
                                                       : std::numeric_limits<double>::infinity();
        into.histogram.bucket.push_back({cumulative, bound});
    }
    into.histogram.sample_count = cumulative;
    into.histogram.sample_sum = static_cast<double>(histogram->sum_us()) / 1e6;
}

}  // namespace

void Histogram::observe(std::uint64_t micros) {
    auto bound = std::lower_bound(bounds_us.begin(), bounds_us.end(), micros);
    buckets_[static_cast<std::size_t>(bound - bounds_us.begin())].fetch_add(1, std::memory_order_relaxed);
    sum_us_.fetch_add(micros, std::memory_order_relaxed);
}

struct Registry::State {
    std::size_t series_max;
    Synchronized<Families> families;
};

Registry::Registry(std::size_t series_max) : state_(std::make_unique<State>()) {
    state_->series_max = series_max;
}
Registry::~Registry() = default;

Counter& Registry::counter(std::string_view name, std::string_view help, const Labels& labels) {
    auto families = state_->families.lock();
    return find_or_create<Counter>(*families, state_->series_max, prometheus::MetricType::Counter, name, help,
                                   labels);
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, const Labels& labels) {
    auto families = state_->families.lock();
    return find_or_create<Gauge>(*families, state_->series_max, prometheus::MetricType::Gauge, name, help,
                                 labels);
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, const Labels& labels) {
    auto families = state_->families.lock();
    return find_or_create<Histogram>(*families, state_->series_max, prometheus::MetricType::Histogram, name,
                                     help, labels);
}

std::string Registry::text() const {
    std::vector<prometheus::MetricFamily> collected;
    {
        auto families = state_->families.lock();
        for (const auto& [name, family] : families->by_name) {
            prometheus::MetricFamily out{name, family.help, family.type, {}};
            for (const auto& [labels, series] : family.series) {
                prometheus::ClientMetric metric;
                for (const auto& [label, value] : labels)
                    metric.label.push_back({label, value});
                std::visit([&](const auto& value) { fill(metric, value); }, series);
                out.metric.push_back(std::move(metric));
            }
            collected.push_back(std::move(out));
        }
    }
    return prometheus::TextSerializer().Serialize(collected);
}

}  // namespace integreat::metrics
