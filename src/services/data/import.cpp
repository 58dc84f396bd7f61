// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/object.hpp>

#include "json/utf8.h"
#include "services/data/cells.h"
#include "services/data/exchange.h"
#include "services/data/inserts.h"

namespace integreat::data {

namespace {

namespace bj = boost::json;

constexpr std::size_t batch_records = 500;  // Of one statement at most.
constexpr std::size_t shown_bytes = 60;     // Of a heading that is not known.

std::string at_line(std::size_t line) {
    return "line " + std::to_string(line);
}

// What is wrong, with the line and the column; no more than can be mended at once.
struct Wrongs {
    std::vector<http::FieldError> all;

    bool full() const { return all.size() > import_mistakes_max; }
    void add(std::string place, std::string detail) {
        if (all.size() < import_mistakes_max)
            all.push_back({std::move(place), std::move(detail)});
        else if (!full())
            all.push_back({std::move(place), "and more: what is behind these was not looked at"});
    }
};

// Records with values for the same fields, and the lines they stand on.
struct Alike {
    std::vector<Written> records;
    std::vector<std::size_t> lines;

    bool takes(const Written& written) const {
        return records.front().fields == written.fields && !written.fields.empty() &&
               records.size() < batch_records;
    }
    Place place() const {
        auto first = at_line(lines.front());
        if (lines.size() == 1) return {.record = first, .field = first + ", "};
        auto range = "lines " + std::to_string(lines.front()) + " to " + std::to_string(lines.back());
        return {.record = range, .field = range + ", "};
    }
};

// A text of a table on its way to records.
struct Importing {
    const Asked& asked;
    CsvReading reading;
    Wrongs wrongs = {};
    std::vector<const Field*> columns = {};
    std::vector<Alike> batches = {};
    std::size_t records = 0;
    std::size_t cells = 0;
};

void take_heading(Importing& importing, std::string_view name, std::size_t number) {
    auto& wrongs = importing.wrongs;
    const auto& asked = importing.asked;
    if (name.empty()) return wrongs.add("line 1, column " + std::to_string(number), "has no name");
    auto place = "line 1, " + std::string(name.substr(0, shown_bytes));
    if (auto why = why_not_creatable(asked.collection, asked.view, name); !why.empty())
        return wrongs.add(std::move(place), std::move(why));
    const auto* field = asked.collection.collection->find(name);
    auto& columns = importing.columns;
    if (std::find(columns.begin(), columns.end(), field) != columns.end())
        return wrongs.add(std::move(place), "is given twice");
    columns.push_back(field);
}

// The fields that the columns stand for; nothing of the rest makes sense with a mistake in them.
void read_heading(Importing& importing) {
    CsvRecord heading;
    auto some = next_record(importing.reading, heading);
    if (!some) return importing.wrongs.add(at_line(importing.reading.line), some.error().message);
    if (!*some || heading.blank())
        return importing.wrongs.add("line 1", "must have the names of the columns");
    for (std::size_t i = 0; i < heading.cells.size(); ++i)
        take_heading(importing, heading.cells[i].text, i + 1);
    const auto& columns = importing.columns;
    for (const auto* field : importing.asked.view.creatable) {
        bool needed = field->required && field->default_kind == Field::Default::none;
        if (needed && std::find(columns.begin(), columns.end(), field) == columns.end())
            importing.wrongs.add("line 1, " + field->name, "is required: there must be such a column");
    }
}

// "#/address/city" → "address/city"; of money, which is one cell, its name alone.
std::string column_of(const Collection& collection, std::string_view pointer) {
    pointer.remove_prefix(std::min<std::size_t>(2, pointer.size()));
    auto name = pointer.substr(0, pointer.find('/'));
    const auto* field = collection.find(name);
    return std::string(field && field->type == FieldType::money ? name : pointer);
}

void keep(Importing& importing, Written written, std::size_t line) {
    auto& batches = importing.batches;
    // Records that differ in what they leave out would else be a statement each.
    auto from = batches.end() - std::min<std::ptrdiff_t>(8, std::distance(batches.begin(), batches.end()));
    auto found = std::find_if(from, batches.end(), [&](const Alike& one) { return one.takes(written); });
    auto& batch = found == batches.end() ? batches.emplace_back() : *found;
    batch.records.push_back(std::move(written));
    batch.lines.push_back(line);
}

void take_record(Importing& importing, const CsvRecord& record) {
    const auto& columns = importing.columns;
    auto& wrongs = importing.wrongs;
    auto line = at_line(record.line);
    if (record.cells.size() != columns.size()) {
        return wrongs.add(line, "has " + std::to_string(record.cells.size()) + " cells; the heading has " +
                                    std::to_string(columns.size()));
    }
    bj::object body;
    std::vector<std::string> unread;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        auto value = cell_value(*columns[i], record.cells[i]);
        if (value) {
            body[columns[i]->name] = *std::move(value);
        } else {
            unread.push_back(columns[i]->name);
            wrongs.add(line + ", " + columns[i]->name, value.error().message);
        }
    }
    const auto& asked = importing.asked;
    Mistakes mistakes;
    auto written = check_new(asked.collection, asked.view, body, "", mistakes);
    for (auto& mistake : mistakes.all) {
        auto column = column_of(*asked.collection.collection, mistake.pointer);
        // That it is required is not the mistake of what could not be read.
        if (std::find(unread.begin(), unread.end(), column) == unread.end())
            wrongs.add(line + ", " + column, std::move(mistake.detail));
    }
    if (wrongs.all.empty()) keep(importing, std::move(written), record.line);
}

void read_records(Importing& importing) {
    CsvRecord record;
    auto& wrongs = importing.wrongs;
    while (!wrongs.full()) {
        auto some = next_record(importing.reading, record);
        if (!some) return wrongs.add(at_line(importing.reading.line), some.error().message);
        if (!*some) break;
        if (record.blank() && importing.columns.size() > 1) continue;
        ++importing.records;
        importing.cells += record.cells.size();
        if (importing.records > import_records_max || importing.cells > import_cells_max) {
            return wrongs.add(at_line(record.line),
                              "is too much: at most " + std::to_string(import_records_max) +
                                  " records with " + std::to_string(import_cells_max) + " cells at once");
        }
        take_record(importing, record);
    }
    if (importing.records == 0) wrongs.add("line 1", "must have records below it");
}

void read_table(Importing& importing) {
    const auto& text = importing.asked.request.body;
    if (auto at = json::invalid_utf8_at(text)) {
        auto end = text.begin() + static_cast<std::ptrdiff_t>(*at);
        auto line = 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
        return importing.wrongs.add(at_line(line), "is not UTF-8");
    }
    read_heading(importing);
    if (importing.wrongs.all.empty()) read_records(importing);
}

Answered store(Asked& asked, const Alike& batch) {
    return run(asked, insert_many_sql(asked, batch.records, ""));
}

// Which line the database refuses: everything before it is stored once more, and what the refused statement
// had, one by one, in a transaction that is not to last. Nothing if it all fits now, or time is up.
std::optional<http::Reply> first_refused(Asked& asked, const std::vector<Alike>& batches,
                                         std::size_t refused) {
    auto* outer = std::exchange(asked.call.transaction, nullptr);
    std::optional<http::Reply> reply;
    auto transaction = asked.pool.begin(asked.call.tenant, asked.call.deadline);
    if (transaction) asked.call.transaction = &*transaction;
    bool stored = static_cast<bool>(transaction);
    for (std::size_t i = 0; stored && i < refused; ++i)
        stored = static_cast<bool>(store(asked, batches[i]).rows);
    const auto& batch = batches[refused];
    for (std::size_t i = 0; stored && !reply && i < batch.records.size(); ++i) {
        auto answered = run(asked, insert_sql(asked, batch.records[i], ""));
        Alike one{.records = {}, .lines = {batch.lines[i]}};
        if (!answered.rows) reply = refuse_statement(asked, answered, one.place());
    }
    asked.call.transaction = outer;
    return reply;
}

}  // namespace

http::Reply import_records(Asked& asked) {
    if (asked.view.creatable.empty()) {
        return refuse_forbidden(
            asked, "The role " + asked.view.role + " may not create records here.",
            "access.create of " + asked.collection.collection->name + " has no rule for the role");
    }
    Importing importing{.asked = asked, .reading = start_csv(asked.request.body)};
    read_table(importing);
    if (auto& wrongs = importing.wrongs.all; !wrongs.empty()) {
        Mistakes mistakes;
        mistakes.all = std::move(wrongs);
        return refuse_mistakes(asked, std::move(mistakes), "The table");
    }
    InTransaction transaction{asked};
    if (auto trouble = transaction.begin()) return *std::move(trouble);
    for (std::size_t i = 0; i < importing.batches.size(); ++i) {
        auto answered = store(asked, importing.batches[i]);
        if (answered.rows) continue;
        auto trouble = refuse_statement(asked, answered, importing.batches[i].place());
        if (trouble.status >= 500) return trouble;
        auto first = first_refused(asked, importing.batches, i);
        return first ? *std::move(first) : trouble;
    }
    if (auto trouble = transaction.commit()) return *std::move(trouble);
    return json_reply(201, R"({"imported":)" + std::to_string(importing.records) + "}");
}

}  // namespace integreat::data
