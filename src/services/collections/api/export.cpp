// SPDX-License-Identifier: Apache-2.0
#include "http/routing/router.h"
#include "services/collections/api/exchange.h"
#include "services/collections/values/csv_fields.h"

namespace integreat::collections {

namespace {

// So many records are read at once; fewer where they are large, so that what is held stays small.
constexpr int batch_first = 50;
constexpr int batch_most = 500;
constexpr int batch_of_large = 5;
constexpr std::size_t small_bytes = 2 * 1024;
constexpr std::size_t large_bytes = 20 * 1024;

int batch_for(std::size_t bytes, std::size_t records) {
    auto each = bytes / std::max<std::size_t>(records, 1);
    return each <= small_bytes ? batch_most : each <= large_bytes ? batch_first : batch_of_large;
}

void append_heading(std::string& to, const ListQuery& query) {
    const char* comma = "";
    for (const auto* field : query.fields) {
        to += std::exchange(comma, ",");
        formats::append_csv_cell(to, field->name);
    }
    to += "\r\n";
}

// Reads on from where the batch before ended: each is a statement by itself, in the caller's name, and no
// connection is held from one to the next. `desk` belongs to the route, which lives as long as the call.
class Export final : public http::BodySource {
public:
    Export(const Asked& asked, ListQuery query)
        : desk_(asked.desk),
          reader_(asked.reader()),
          tenant_(asked.call.tenant),
          acting_(asked.acting),
          query_(std::move(query)) {
        query_.limit = batch_first;
        append_heading(pending_, query_);
    }

    // What could not be asked.
    Answered read_batch() {
        Answered answered{.rows = Error{Fault::unavailable, "The application's database is gone.", ""},
                          .refusal = {}};
        auto* pool = desk_.pool();
        if (!pool) return answered;
        auto list = list_sql(reader_, query_, after_);
        // The route's deadline is for its beginning; each batch has as long as a statement may take.
        answered.rows = pool->run_as(tenant_, acting_, Monotonic::max(), list.sql.text, list.sql.parameters,
                                     &answered.refusal);
        if (answered.rows) take(list, *answered.rows);
        return answered;
    }

    http::Pace produce(std::string& to, const http::Demand&) override {
        if (pending_.empty() && !over_ && !read_batch().rows) return http::Pace::broken;
        to += std::exchange(pending_, {});
        return over_ ? http::Pace::end : http::Pace::more;
    }

private:
    void take(const ListSql& list, const postgres::Rows& rows) {
        auto count = std::min(rows.size(), static_cast<std::size_t>(query_.limit));
        auto before = pending_.size();
        for (std::size_t row = 0; row < count; ++row) {
            const char* comma = "";
            for (const auto& part : list.shown) {
                pending_ += std::exchange(comma, ",");
                if (!rows.is_null(row, part.column))
                    append_cell(pending_, *part.field, rows.text(row, part.column));
            }
            pending_ += "\r\n";
        }
        over_ = rows.size() <= count;
        if (over_) return;
        after_.emplace();
        for (auto column : list.keys)
            after_->push_back(rows.value(count - 1, column));
        query_.limit = batch_for(pending_.size() - before, count);
    }

    const Desk& desk_;
    Reader reader_;
    TenantId tenant_;
    postgres::Acting acting_;
    ListQuery query_;
    std::optional<Position> after_;
    std::string pending_;  // Made and not sent.
    bool over_ = false;
};

}  // namespace

http::Response export_records(Asked& asked) {
    const auto& name = asked.collection.collection->name;
    if (!asked.view.reads()) {
        return refuse_forbidden(asked, "The role " + asked.view.role + " may not read this collection.",
                                "access.read of " + name + " has no rule for the role");
    }
    Mistakes mistakes;
    auto pairs = http::parse_query(asked.request.query());
    if (!pairs) {
        mistakes.all.push_back({"?", pairs.error().message});
        return refuse_mistakes(asked, std::move(mistakes), "The query");
    }
    auto query = check_export(asked.reader(), *pairs, mistakes);
    if (!mistakes.none()) return refuse_mistakes(asked, std::move(mistakes), "The query");
    auto source = std::make_unique<Export>(asked, std::move(query));
    auto first = source->read_batch();
    if (!first.rows) return refuse_statement(asked, first);
    return http::Stream{.status = 200,
                        .headers = {{"Content-Type", "text/csv; charset=utf-8; header=present"},
                                    {"Content-Disposition", "attachment; filename=\"" + name + ".csv\""},
                                    {"Cache-Control", "private, no-cache"}},
                        .body = std::move(source),
                        .waits = true};
}

}  // namespace integreat::collections
