// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/export.h"

#include "services/collections/query/cursor.h"
#include "services/collections/values/csv_fields.h"

namespace integreat::collections {

namespace {

// Records per batch: fewer where records are large, to bound memory.
constexpr int batch_initial = 50;
constexpr int batch_max = 500;
constexpr int batch_of_large_records = 5;
// Thresholds of the average record size, in bytes.
constexpr std::size_t small_record_bytes = 2 * 1024;
constexpr std::size_t large_record_bytes = 20 * 1024;

int next_batch_size(std::size_t bytes, std::size_t records) {
    auto average = bytes / std::max<std::size_t>(records, 1);
    return average <= small_record_bytes   ? batch_max
           : average <= large_record_bytes ? batch_initial
                                           : batch_of_large_records;
}

void append_header(std::string& to, const ListQuery& query) {
    const char* comma = "";
    for (const auto* field : query.fields) {
        to += std::exchange(comma, ",");
        formats::append_csv_cell(to, field->name);
    }
    to += "\r\n";
}

// The CSV body of an export. Each batch is a statement of its own under the caller's role and starts after
// the last record of the previous one, so that no connection is held between batches. `context_` belongs to
// the route, which outlives the request.
class CsvExportStream final : public http::BodyStream {
public:
    CsvExportStream(const CollectionRequest& request, ListQuery query)
        : context_(request.context),
          scope_(request.query_scope()),
          tenant_(request.http_context.tenant),
          caller_(request.caller),
          query_(std::move(query)) {
        query_.limit = batch_initial;
        append_header(pending_, query_);
    }

    // Appends the next batch to `pending_`. Returns the outcome of its query.
    QueryOutcome read_batch() {
        QueryOutcome outcome{
            .rows = Error{Fault::unavailable, "The application's database is not available.", ""},
            .server_error = {}};
        auto* pool = context_.pool();
        if (!pool) return outcome;
        auto list = list_sql(scope_, query_, after_);
        // The route's deadline covers the start of the response only; a batch may take as long as any
        // statement.
        outcome.rows = pool->query_as(tenant_, caller_, Monotonic::max(), list.sql.text, list.sql.parameters,
                                      &outcome.server_error);
        if (outcome.rows) append_rows(list, *outcome.rows);
        return outcome;
    }

    http::ReadStatus read(std::string& to, const http::ReadRequest&) override {
        if (pending_.empty() && !complete_ && !read_batch().rows) return http::ReadStatus::error;
        to += std::exchange(pending_, {});
        return complete_ ? http::ReadStatus::eof : http::ReadStatus::ready;
    }

private:
    void append_rows(const ListSql& list, const postgres::ResultSet& rows) {
        auto count = std::min(rows.size(), static_cast<std::size_t>(query_.limit));
        auto size_before = pending_.size();
        for (std::size_t row = 0; row < count; ++row) {
            const char* comma = "";
            for (const auto& column : list.columns) {
                pending_ += std::exchange(comma, ",");
                if (!rows.is_null(row, column.column))
                    append_csv_field(pending_, *column.field, rows.text(row, column.column));
            }
            pending_ += "\r\n";
        }
        complete_ = rows.size() <= count;
        if (complete_) return;
        after_.emplace();
        for (auto column : list.key_columns)
            after_->push_back(rows.value(count - 1, column));
        query_.limit = next_batch_size(pending_.size() - size_before, count);
    }

    const CollectionsContext& context_;
    QueryScope scope_;
    TenantId tenant_;
    postgres::RoleContext caller_;
    ListQuery query_;
    std::optional<KeysetPosition> after_;
    std::string pending_;  // CSV text not sent yet.
    bool complete_ = false;
};

}  // namespace

http::Response export_records(CollectionRequest& request) {
    const auto& name = request.collection.collection->name;
    if (!request.view.can_read()) {
        return reject_forbidden(request, "The role " + request.view.role + " may not read this collection.",
                                "access.read of " + name + " has no rule for the role");
    }
    auto pairs = TRY(parse_query_pairs(request));
    ValidationErrors errors;
    auto query = parse_export_query(request.query_scope(), pairs, errors);
    if (!errors.empty()) return reject_invalid(request, std::move(errors), "The query");
    auto stream = std::make_unique<CsvExportStream>(request, std::move(query));
    auto first = stream->read_batch();
    if (!first.rows) return reject_query_error(request, first);
    return http::StreamingResponse{
        .status = 200,
        .headers = {{"Content-Type", "text/csv; charset=utf-8; header=present"},
                    {"Content-Disposition", "attachment; filename=\"" + name + ".csv\""},
                    {"Cache-Control", "private, no-cache"}},
        .body = std::move(stream),
        .blocking = true};
}

}  // namespace integreat::collections
