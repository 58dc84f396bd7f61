// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/import.h"

#include <algorithm>

#include <boost/json/object.hpp>

#include "formats/csv.h"
#include "http/transport/spooled_body.h"
#include "services/collections/api/bulk_insert_errors.h"
#include "services/collections/api/insert_sql.h"
#include "services/collections/values/csv_fields.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;

constexpr std::size_t import_errors_max = 100;  // Maximum number of reported errors.
constexpr std::size_t chunk_bytes = 64 * 1024;
constexpr std::size_t batch_records_max = 500;             // Maximum number of records per statement.
constexpr std::size_t open_batches_max = 8;                // One batch per set of fields with values.
constexpr std::size_t queued_bytes_max = 4 * 1024 * 1024;  // Total size of the records in open batches.
constexpr std::size_t column_name_bytes_max = 60;          // Column names in error messages are cut to this.

std::string line_label(std::size_t line) {
    return "line " + std::to_string(line);
}

// Errors of the CSV body, located by line and column.
struct ImportErrors {
    std::vector<http::FieldError> list;

    bool full() const { return list.size() > import_errors_max; }
    void add(std::string location, std::string detail) {
        if (list.size() < import_errors_max)
            list.push_back({std::move(location), std::move(detail)});
        else if (!full())
            list.push_back({std::move(location), "and more: the rest was not checked"});
    }
};

// Records with values for the same fields, to be inserted by one statement.
struct RecordBatch {
    std::vector<ColumnValues> records;
    std::vector<std::size_t> lines;  // Line number of each record.
    std::size_t bytes = 0;

    bool accepts(const ColumnValues& columns) const {
        return records.front().fields == columns.fields && !columns.fields.empty() &&
               records.size() < batch_records_max;
    }
    RowLocation location() const {
        auto first = line_label(lines.front());
        if (lines.size() == 1) return {.record = first, .field_prefix = first + ", "};
        auto range = "lines " + std::to_string(lines.front()) + " to " + std::to_string(lines.back());
        return {.record = range, .field_prefix = range + ", "};
    }
    RowLocation location_of(std::size_t index) const {
        auto line = line_label(lines[index]);
        return {.record = line, .field_prefix = line + ", "};
    }
};

// One pass over the CSV body.
struct CsvReader {
    CollectionRequest& request;
    formats::CsvStream stream;
    ImportErrors errors = {};
    std::optional<Error> read_error = {};  // The spooled body cannot be read.
    std::vector<const Field*> columns = {};
    std::size_t records = 0;

    explicit CsvReader(CollectionRequest& collection_request)
        : request(collection_request),
          stream([body = collection_request.http_context.spooled_body,
                  offset = std::uint64_t(0)](std::string& chunk) mutable -> Result<> {
              TRY(body->read(offset, chunk_bytes, chunk));
              offset += chunk.size();
              return {};
          }) {}

    // Returns false at the end, and after an error that makes the rest unreadable.
    bool next(formats::CsvRecord& record) {
        auto more = stream.next(record);
        if (more) return *more;
        if (more.error().fault == Fault::invalid)
            errors.add(line_label(stream.line()), more.error().message);
        else
            read_error = more.error();
        return false;
    }
    bool ok() const { return errors.list.empty() && !read_error; }
};

void parse_column_name(CsvReader& reader, std::string_view name, std::size_t number) {
    auto& errors = reader.errors;
    const auto& request = reader.request;
    if (name.empty()) return errors.add("line 1, column " + std::to_string(number), "has no name");
    auto location = "line 1, " + std::string(name.substr(0, column_name_bytes_max));
    if (auto reason = reason_not_creatable(request.collection, request.view, name); !reason.empty())
        return errors.add(std::move(location), std::move(reason));
    const auto* field = request.collection.collection->find(name);
    auto& columns = reader.columns;
    if (std::find(columns.begin(), columns.end(), field) != columns.end())
        return errors.add(std::move(location), "is given twice");
    columns.push_back(field);
}

// Reads the fields of the columns. With an error in the header, the rest is not read.
void parse_header(CsvReader& reader) {
    formats::CsvRecord header;
    bool more = reader.next(header);
    if (!reader.ok()) return;
    if (!more || header.blank()) return reader.errors.add("line 1", "must contain the column names");
    for (std::size_t i = 0; i < header.cells.size(); ++i)
        parse_column_name(reader, header.cells[i].text, i + 1);
    const auto& columns = reader.columns;
    for (const auto* field : reader.request.view.creatable) {
        bool needed = field->required && field->default_kind == Field::Default::none;
        if (needed && std::find(columns.begin(), columns.end(), field) == columns.end())
            reader.errors.add("line 1, " + field->name, "is required, but there is no such column");
    }
}

// Converts a JSON pointer to a column: "#/address/city" → "address/city". Money is a single column: its
// members become the field name alone.
std::string column_of(const Collection& collection, std::string_view pointer) {
    pointer.remove_prefix(std::min<std::size_t>(2, pointer.size()));
    auto name = pointer.substr(0, pointer.find('/'));
    const auto* field = collection.find(name);
    return std::string(field && field->type == FieldType::money ? name : pointer);
}

ColumnValues parse_record(CsvReader& reader, const formats::CsvRecord& record) {
    const auto& columns = reader.columns;
    auto& errors = reader.errors;
    auto line = line_label(record.line);
    if (record.cells.size() != columns.size()) {
        errors.add(line, "has " + std::to_string(record.cells.size()) + " fields, but the header has " +
                             std::to_string(columns.size()));
        return {};
    }
    bj::object body;
    std::vector<std::string> malformed;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        auto value = parse_csv_field(*columns[i], record.cells[i]);
        if (value) {
            body[columns[i]->name] = *std::move(value);
        } else {
            malformed.push_back(columns[i]->name);
            errors.add(line + ", " + columns[i]->name, value.error().message);
        }
    }
    const auto& request = reader.request;
    ValidationErrors validation_errors;
    auto values = parse_create_body(request.collection, request.view, body, "", validation_errors);
    for (auto& error : validation_errors.list) {
        auto column = column_of(*request.collection.collection, error.pointer);
        // A malformed field is missing from `body`: it is not reported as required, too.
        if (std::find(malformed.begin(), malformed.end(), column) == malformed.end())
            errors.add(line + ", " + column, std::move(error.detail));
    }
    return values;
}

using RecordHandler = std::function<bool(ColumnValues, std::size_t line)>;

// Calls `handle` for each record until it returns false.
void read_records(CsvReader& reader, const RecordHandler& handle) {
    parse_header(reader);
    if (!reader.ok()) return;
    auto max_records = reader.request.context.imports.max_records;
    formats::CsvRecord record;
    while (!reader.errors.full() && reader.next(record)) {
        if (record.blank() && reader.columns.size() > 1) continue;
        if (++reader.records > max_records) {
            return reader.errors.add(
                line_label(record.line),
                "exceeds the limit: at most " + std::to_string(max_records) + " records per import");
        }
        auto values = parse_record(reader, record);
        if (reader.ok() && !handle(std::move(values), record.line)) return;
    }
    if (reader.ok() && reader.records == 0)
        reader.errors.add("line 1", "must be followed by at least one record");
}

// Groups records into batches by their fields. `store` inserts a full batch and returns whether to continue.
struct BatchQueue {
    std::function<bool(const RecordBatch&)> store;
    std::vector<RecordBatch> open = {};
    std::size_t bytes = 0;

    bool flush(std::size_t index) {
        auto batch = std::move(open[index]);
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(index));
        bytes -= batch.bytes;
        return store(batch);
    }

    bool add(ColumnValues columns, std::size_t line) {
        std::size_t size = 0;
        for (const auto& value : columns.values)
            size += sizeof value + (value ? value->size() : 0);
        auto batch = std::find_if(open.begin(), open.end(),
                                  [&](const RecordBatch& one) { return one.accepts(columns); });
        if (batch == open.end()) {
            if (open.size() == open_batches_max && !flush(0)) return false;
            batch = open.insert(open.end(), RecordBatch{});
        }
        batch->records.push_back(std::move(columns));
        batch->lines.push_back(line);
        batch->bytes += size;
        bytes += size;
        bool full = batch->records.size() == batch_records_max || batch->records.front().fields.empty();
        if (full && !flush(static_cast<std::size_t>(batch - open.begin()))) return false;
        return bytes <= queued_bytes_max || flush_all();
    }

    bool flush_all() {
        while (!open.empty()) {
            if (!flush(0)) return false;
        }
        return true;
    }
};

// Returns the problem response for the errors of a pass, if there are any.
Result<void, http::FullResponse> take_errors(CsvReader& reader) {
    auto& request = reader.request;
    if (reader.read_error) {
        return reject_query_error(request, {.rows = *std::move(reader.read_error), .server_error = {}});
    }
    if (reader.errors.list.empty()) return {};
    ValidationErrors errors;
    errors.list = std::move(reader.errors.list);
    return reject_invalid(request, std::move(errors), "The CSV body");
}

// A batch that the database rejected.
struct FailedBatch {
    QueryOutcome outcome;
    RowLocation location;
};

// Reads the body again and passes it to `store` in batches until one is not stored. Returns a problem
// response if the body cannot be read.
Result<void, http::FullResponse> store_records(CollectionRequest& request,
                                               const std::function<bool(const RecordBatch&)>& store) {
    CsvReader reader(request);
    BatchQueue batches{.store = store};
    bool stopped = false;
    read_records(reader, [&](ColumnValues values, std::size_t line) {
        stopped = !batches.add(std::move(values), line);
        return !stopped;
    });
    TRY(take_errors(reader));
    if (!stopped) batches.flush_all();
    return {};
}

// Returns the problem response for a failed batch, with the locations of all records the database rejects.
http::FullResponse explain_failure(CollectionRequest& request, const FailedBatch& failed) {
    auto batch_problem = reject_query_error(request, failed.outcome, failed.location);
    bool quota = batch_problem.status == 429;  // No single record is at fault.
    if (quota || batch_problem.status >= 500) return batch_problem;
    BulkInsertErrors errors(request);
    auto read = store_records(request, [&](const RecordBatch& batch) {
        return errors.check(batch.records, [&](std::size_t index) { return batch.location_of(index); });
    });
    auto record_problem = errors.response();
    if (!read) return std::move(read).error();
    return record_problem ? *std::move(record_problem) : batch_problem;
}

http::FullResponse reject_concurrent_import(CollectionRequest& request) {
    auto limit = std::to_string(request.context.imports.max_concurrent);
    auto detail = "This app processes " + limit +
                  " imports already (imports.max_concurrent). Retry after one has finished.";
    auto problem = http::problem_from(Error{Fault::exhausted, std::move(detail), ""});
    problem.retry_after = std::chrono::seconds(10);
    return reject(request, std::move(problem), "imports.max_concurrent of integreat.yaml");
}

}  // namespace

http::FullResponse import_records(CollectionRequest& request) {
    const auto& name = request.collection.collection->name;
    if (request.view.creatable.empty()) {
        return reject_forbidden(request, "The role " + request.view.role + " may not create records here.",
                                "access.create of " + name + " has no rule for the role");
    }
    // An import occupies a connection and a thread while it runs: the limit leaves some for other requests.
    auto permit = request.context.import_semaphore->try_acquire(request.http_context.tenant,
                                                                request.context.imports.max_concurrent);
    if (!permit) return reject_concurrent_import(request);
    CsvReader checked(request);
    TRY(count_records(request, 0));
    read_records(checked, [](ColumnValues, std::size_t) { return true; });
    TRY(count_records(request, checked.records));
    TRY(take_errors(checked));
    ScopedTransaction transaction{request};
    TRY(transaction.begin());
    std::optional<FailedBatch> failed;
    auto read = store_records(request, [&](const RecordBatch& batch) {
        auto outcome = execute(request, insert_many_sql(request, batch.records, ""));
        if (!outcome.rows) failed = FailedBatch{std::move(outcome), batch.location()};
        return !failed;
    });
    if (!read) return std::move(read).error();
    if (failed) {
        transaction.roll_back();  // Returns the connection: finding the failed records needs one, too.
        return explain_failure(request, *failed);
    }
    TRY(transaction.commit());
    return json_response(201, R"({"imported":)" + std::to_string(checked.records) + "}");
}

}  // namespace integreat::collections
