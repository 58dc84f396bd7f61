// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/object.hpp>

#include "formats/csv_stream.h"
#include "http/transport/spooled_body.h"
#include "services/collections/api/bulk_insert_errors.h"
#include "services/collections/api/exchange.h"
#include "services/collections/api/insert_sql.h"
#include "services/collections/values/csv_fields.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;

constexpr std::size_t piece_bytes = 64 * 1024;
constexpr std::size_t batch_records = 500;               // Of one statement at most.
constexpr std::size_t batches_open = 8;                  // Records that leave out different things go apart.
constexpr std::size_t held_bytes_max = 4 * 1024 * 1024;  // Of the records of all open batches.
constexpr std::size_t shown_bytes = 60;                  // Of a heading that is not known.

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
    std::size_t bytes = 0;

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
    Place place_of(std::size_t index) const {
        auto line = at_line(lines[index]);
        return {.record = line, .field = line + ", "};
    }
};

// A table on its way to records; read from its beginning by each that is made.
struct Importing {
    Asked& asked;
    formats::CsvStream reading;
    Wrongs wrongs = {};
    std::optional<Error> trouble = {};  // The table cannot be had.
    std::vector<const Field*> columns = {};
    std::size_t records = 0;

    explicit Importing(Asked& for_whom)
        : asked(for_whom),
          reading(
              [spool = for_whom.call.spooled, at = std::uint64_t(0)](std::string& piece) mutable -> Result<> {
                  TRY(spool->read(at, piece_bytes, piece));
                  at += piece.size();
                  return {};
              }) {}

    // False at the end, and after what makes the rest unreadable.
    bool next(formats::CsvRecord& record) {
        auto some = reading.next(record);
        if (some) return *some;
        if (some.error().fault == Fault::invalid)
            wrongs.add(at_line(reading.line()), some.error().message);
        else
            trouble = some.error();
        return false;
    }
    bool good() const { return wrongs.all.empty() && !trouble; }
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
    formats::CsvRecord heading;
    bool some = importing.next(heading);
    if (!importing.good()) return;
    if (!some || heading.blank()) return importing.wrongs.add("line 1", "must have the names of the columns");
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

Written read_record(Importing& importing, const formats::CsvRecord& record) {
    const auto& columns = importing.columns;
    auto& wrongs = importing.wrongs;
    auto line = at_line(record.line);
    if (record.cells.size() != columns.size()) {
        wrongs.add(line, "has " + std::to_string(record.cells.size()) + " cells; the heading has " +
                             std::to_string(columns.size()));
        return {};
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
    return written;
}

using TakeRecord = std::function<bool(Written, std::size_t line)>;

// Gives each record of the table to `take`, until that says no.
void read_records(Importing& importing, const TakeRecord& take) {
    read_heading(importing);
    if (!importing.good()) return;
    auto most = importing.asked.desk.imports.records_max;
    formats::CsvRecord record;
    while (!importing.wrongs.full() && importing.next(record)) {
        if (record.blank() && importing.columns.size() > 1) continue;
        if (++importing.records > most) {
            return importing.wrongs.add(at_line(record.line),
                                        "is too much: at most " + std::to_string(most) + " records at once");
        }
        auto written = read_record(importing, record);
        if (importing.good() && !take(std::move(written), record.line)) return;
    }
    if (importing.good() && importing.records == 0)
        importing.wrongs.add("line 1", "must have records below it");
}

// Records on their way into statements. `store` says whether to go on.
struct Batches {
    std::function<bool(const Alike&)> store;
    std::vector<Alike> open = {};
    std::size_t bytes = 0;

    bool close(std::size_t index) {
        auto batch = std::move(open[index]);
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(index));
        bytes -= batch.bytes;
        return store(batch);
    }

    bool take(Written written, std::size_t line) {
        std::size_t size = 0;
        for (const auto& value : written.values)
            size += sizeof value + (value ? value->size() : 0);
        auto found =
            std::find_if(open.begin(), open.end(), [&](const Alike& one) { return one.takes(written); });
        if (found == open.end()) {
            if (open.size() == batches_open && !close(0)) return false;
            found = open.insert(open.end(), Alike{});
        }
        found->records.push_back(std::move(written));
        found->lines.push_back(line);
        found->bytes += size;
        bytes += size;
        bool full = found->records.size() == batch_records || found->records.front().fields.empty();
        if (full && !close(static_cast<std::size_t>(found - open.begin()))) return false;
        return bytes <= held_bytes_max || finish();
    }

    bool finish() {
        while (!open.empty()) {
            if (!close(0)) return false;
        }
        return true;
    }
};

std::optional<http::Reply> refuse_table(Importing& importing) {
    auto& asked = importing.asked;
    if (importing.trouble) {
        return refuse_statement(asked, {.rows = *std::move(importing.trouble), .refusal = {}});
    }
    if (importing.wrongs.all.empty()) return {};
    Mistakes mistakes;
    mistakes.all = std::move(importing.wrongs.all);
    return refuse_mistakes(asked, std::move(mistakes), "The table");
}

// The statement that the database refused.
struct RefusedBatch {
    Answered answered;
    Place place;
};

// Reads the table once more, in batches, until one is not stored. What keeps it from being read.
std::optional<http::Reply> store_records(Asked& asked, const std::function<bool(const Alike&)>& store) {
    Importing importing(asked);
    Batches batches{.store = store};
    bool stopped = false;
    read_records(importing, [&](Written written, std::size_t line) {
        stopped = !batches.take(std::move(written), line);
        return !stopped;
    });
    if (auto trouble = refuse_table(importing)) return trouble;
    if (!stopped) batches.finish();
    return {};
}

http::Reply explain_refusal(Asked& asked, const RefusedBatch& refused) {
    auto trouble = refuse_statement(asked, refused.answered, refused.place);
    if (trouble.status >= 500) return trouble;
    RefusedRows rows(asked);
    auto unread = store_records(asked, [&](const Alike& batch) {
        return rows.store(batch.records, [&](std::size_t index) { return batch.place_of(index); });
    });
    auto all = rows.reply();
    return unread ? *std::move(unread) : all ? *std::move(all) : trouble;
}

http::Reply refuse_turn(Asked& asked) {
    auto problem = http::problem_from(
        Error{Fault::exhausted, "As many imports run as may at once: send it again when one is over.", ""});
    problem.retry_after = std::chrono::seconds(10);
    return refuse(asked, std::move(problem), "imports.at_once of integreat.yaml");
}

}  // namespace

http::Reply import_records(Asked& asked) {
    const auto& name = asked.collection.collection->name;
    if (asked.view.creatable.empty()) {
        return refuse_forbidden(asked, "The role " + asked.view.role + " may not create records here.",
                                "access.create of " + name + " has no rule for the role");
    }
    // Each holds a connection and a thread for as long as it takes: some must be left for everybody else.
    auto turn = asked.desk.importing->take(asked.call.tenant, asked.desk.imports.at_once);
    if (!turn) return refuse_turn(asked);
    Importing checked(asked);
    read_records(checked, [](Written, std::size_t) { return true; });
    if (auto trouble = refuse_table(checked)) return *std::move(trouble);
    InTransaction transaction{asked};
    if (auto trouble = transaction.begin()) return *std::move(trouble);
    std::optional<RefusedBatch> refused;
    auto unread = store_records(asked, [&](const Alike& batch) {
        auto answered = run(asked, insert_many_sql(asked, batch.records, ""));
        if (!answered.rows) refused = RefusedBatch{std::move(answered), batch.place()};
        return !refused;
    });
    if (unread) return *std::move(unread);
    if (refused) {
        transaction.roll_back();  // What is found out next takes a connection, too.
        return explain_refusal(asked, *refused);
    }
    if (auto trouble = transaction.commit()) return *std::move(trouble);
    return json_reply(201, R"({"imported":)" + std::to_string(checked.records) + "}");
}

}  // namespace integreat::collections
