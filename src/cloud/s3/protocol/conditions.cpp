// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/protocol/conditions.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace integreat::s3 {

namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

struct RequestedRange {
    std::optional<std::uint64_t> first;
    std::optional<std::uint64_t> last;
};

std::optional<RequestedRange> parse_range(std::string_view text) {
    if (!text.starts_with("bytes=")) return std::nullopt;
    text.remove_prefix(6);
    auto dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    RequestedRange range{parse_number(text.substr(0, dash)), parse_number(text.substr(dash + 1))};
    if (!range.first && dash != 0) return std::nullopt;
    if (!range.last && dash + 1 != text.size()) return std::nullopt;
    if (!range.first && !range.last) return std::nullopt;
    if (range.first && range.last && *range.first > *range.last) return std::nullopt;
    return range;
}

AwsError invalid_range(std::string_view requested, std::uint64_t size) {
    return {
        .status = 416,
        .code = "InvalidRange",
        .message = "The requested range is not satisfiable",
        .details = {{"RangeRequested", std::string(requested)}, {"ActualObjectSize", std::to_string(size)}}};
}

Time truncate_to_seconds(Time time) {
    return std::chrono::floor<std::chrono::seconds>(time);
}

}  // namespace

bool matches_etag(std::string_view list, std::string_view etag) {
    while (!list.empty()) {
        auto comma = std::min(list.find(','), list.size());
        auto one = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        while (one.starts_with(' '))
            one.remove_prefix(1);
        while (one.ends_with(' '))
            one.remove_suffix(1);
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one.size() >= 2 && one.front() == '"' && one.back() == '"') one = one.substr(1, one.size() - 2);
        if (one == "*" || one == etag) return true;
    }
    return false;
}

std::optional<Time> parse_http_date(std::string_view text) {
    // "Sun, 06 Nov 1994 08:49:37 GMT"
    if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT") return std::nullopt;
    auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
    auto day = parse_number(text.substr(5, 2)), year = parse_number(text.substr(12, 4));
    auto hour = parse_number(text.substr(17, 2)), minute = parse_number(text.substr(20, 2));
    auto second = parse_number(text.substr(23, 2));
    if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
    using namespace std::chrono;
    year_month_day date{std::chrono::year(static_cast<int>(*year)),
                        std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
                        std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    return Time(sys_days(date)) + hours(*hour) + minutes(*minute) + seconds(*second);
}

AwsResult<Freshness> check_conditions(const http::Headers& headers, const Version& version,
                                      std::string_view prefix) {
    auto header = [&](const char* name) { return headers.get(std::string(prefix) + name); };
    auto modified = truncate_to_seconds(version.modified);
    auto if_match = header("if-match"), if_none_match = header("if-none-match");
    if (if_match && !matches_etag(*if_match, version.etag)) return precondition_failed("If-Match");
    if (auto text = header("if-unmodified-since"); text && !if_match) {
        auto since = parse_http_date(*text);
        if (since && modified > *since) return precondition_failed("If-Unmodified-Since");
    }
    bool copies = !prefix.empty();
    if (if_none_match && matches_etag(*if_none_match, version.etag)) {
        if (copies) return precondition_failed("If-None-Match");
        return Freshness::not_modified;
    }
    if (auto text = header("if-modified-since"); text && !if_none_match) {
        auto since = parse_http_date(*text);
        if (since && modified <= *since) {
            if (copies) return precondition_failed("If-Modified-Since");
            return Freshness::not_modified;
        }
    }
    return Freshness::send;
}

AwsResult<std::optional<Range>> resolve_range(const http::Headers& headers, const Version& version) {
    auto text = headers.get("range");
    if (!text) return std::optional<Range>();
    if (auto if_range = headers.get("if-range")) {
        auto date = parse_http_date(*if_range);
        bool unchanged =
            date ? truncate_to_seconds(version.modified) == *date : matches_etag(*if_range, version.etag);
        if (!unchanged) return std::optional<Range>();
    }
    auto requested = parse_range(*text);
    if (!requested) return std::optional<Range>();
    if (!requested->first) {
        if (*requested->last == 0 || version.size == 0) return invalid_range(*text, version.size);
        auto length = std::min(*requested->last, version.size);
        return std::optional<Range>({version.size - length, length});
    }
    if (*requested->first >= version.size) return invalid_range(*text, version.size);
    auto last = std::min(requested->last.value_or(version.size - 1), version.size - 1);
    return std::optional<Range>({*requested->first, last - *requested->first + 1});
}

AwsResult<Range> parse_copy_range(std::string_view text, std::uint64_t size) {
    auto requested = parse_range(text);
    if (!requested || !requested->first || !requested->last) {
        return invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where "
            "first and last are the zero-based offsets of the first and last bytes to copy",
            "x-amz-copy-source-range", text);
    }
    if (*requested->last >= size) {
        return invalid_argument(
            "Range specified is not valid for source object of size: " + std::to_string(size),
            "x-amz-copy-source-range", text);
    }
    return Range{*requested->first, *requested->last - *requested->first + 1};
}

}  // namespace integreat::s3
