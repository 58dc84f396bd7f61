// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace integreat {

namespace {

using namespace std::chrono;

struct CivilTime {
    year_month_day date;
    hh_mm_ss<microseconds> time;
    weekday day_of_week;
};

CivilTime to_civil(Time time) {
    auto day = floor<days>(time);
    return {year_month_day(day), hh_mm_ss<microseconds>(time - day), weekday(day)};
}

// Consumes `digits` decimal digits at the front of `text`. Returns -1 if there are none.
int consume_number(std::string_view& text, std::size_t digits) {
    int number = 0;
    if (text.size() < digits) return -1;
    auto [end, failure] = std::from_chars(text.data(), text.data() + digits, number);
    if (failure != std::errc() || end != text.data() + digits || text.front() == '-') return -1;
    text.remove_prefix(digits);
    return number;
}

bool consume(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

// Consumes the digits of a fraction of a second and returns it truncated to microseconds; -1 without digits.
std::int64_t consume_fraction(std::string_view& text) {
    std::int64_t fraction = 0;
    std::size_t count = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), ++count) {
        if (count < 6) fraction = fraction * 10 + (text.front() - '0');
    }
    if (count == 0) return -1;
    for (; count < 6; ++count)
        fraction *= 10;
    return fraction;
}

// Consumes "Z" or "+08:00" and returns minutes east of UTC; nullopt if it is neither.
std::optional<minutes> consume_offset(std::string_view& text) {
    if (consume(text, "Zz")) return minutes(0);
    bool west = !text.empty() && text.front() == '-';
    if (!consume(text, "+-")) return std::nullopt;
    int hour = consume_number(text, 2);
    if (hour < 0 || hour > 23 || !consume(text, ":")) return std::nullopt;
    int minute = consume_number(text, 2);
    if (minute < 0 || minute > 59) return std::nullopt;
    auto offset = hours(hour) + minutes(minute);
    return west ? -offset : offset;
}

}  // namespace

std::string format_rfc3339(Time time) {
    auto [date, clock, day] = to_civil(time);
    auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int(date.year()), unsigned(date.month()),
                            unsigned(date.day()), clock.hours().count(), clock.minutes().count(),
                            clock.seconds().count());
    if (auto micros = clock.subseconds().count(); micros != 0) {
        text += fmt::format(".{:06}", micros);
        text.erase(text.find_last_not_of('0') + 1);
    }
    return text + "Z";
}

Result<Time> parse_rfc3339(std::string_view text) {
    Error error{Fault::invalid, "not a time of RFC 3339, such as 2026-11-22T08:15:00Z", std::string(text)};
    int year_number = consume_number(text, 4);
    if (year_number < 0 || !consume(text, "-")) return error;
    int month_number = consume_number(text, 2);
    if (month_number < 0 || !consume(text, "-")) return error;
    int day_number = consume_number(text, 2);
    year_month_day date{year(year_number), month(unsigned(month_number)), day(unsigned(day_number))};
    if (day_number < 0 || !date.ok() || !consume(text, "Tt ")) return error;
    int hour = consume_number(text, 2);
    if (hour < 0 || hour > 23 || !consume(text, ":")) return error;
    int minute = consume_number(text, 2);
    if (minute < 0 || minute > 59 || !consume(text, ":")) return error;
    int second = consume_number(text, 2);
    if (second < 0 || second > 60) return error;
    std::int64_t fraction = consume(text, ".") ? consume_fraction(text) : 0;
    if (fraction < 0) return error;
    auto offset = consume_offset(text);
    if (!offset || !text.empty()) return error;
    return Time(sys_days(date)) + hours(hour) + minutes(minute) + seconds(second) + microseconds(fraction) -
           *offset;
}

std::string format_http_date(Time time) {
    static constexpr std::array day_names{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    auto [date, clock, day] = to_civil(time);
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", day_names[day.c_encoding()],
                       unsigned(date.day()), month_names[unsigned(date.month()) - 1], int(date.year()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace integreat
