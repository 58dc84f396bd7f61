// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/bulk_insert_errors.h"

#include "services/collections/api/insert_sql.h"

namespace integreat::collections {

RefusedRows::RefusedRows(Asked& asked)
    : asked_(asked), outer_(std::exchange(asked.call.transaction, nullptr)) {
    auto transaction = asked.pool.begin(asked.call.tenant, asked.call.deadline);
    over_ = !transaction;
    if (!transaction) return;
    transaction_ = *std::move(transaction);
    asked_.call.transaction = &*transaction_;
}

RefusedRows::~RefusedRows() {
    asked_.call.transaction = outer_;
}

void RefusedRows::note(const Answered& answered, const Place& place) {
    auto told = told_of(asked_, answered, place);
    if (!told) {  // Not theirs to mend: the database is not well, or the time is up.
        over_ = true;
        return;
    }
    ++records_;
    if (!told_) {
        told_ = std::move(told);
    } else {
        auto& errors = told_->problem.errors;
        for (auto& error : told->problem.errors)
            errors.push_back(std::move(error));
    }
    if (told_->problem.errors.size() < refused_rows_max) return;
    told_->problem.errors.push_back({place.record, "and more: what is behind these was not looked at"});
    over_ = true;
}

bool RefusedRows::store_part(std::span<const Written> part, std::size_t first,
                             const std::function<Place(std::size_t)>& place) {
    auto sql = part.size() == 1 ? insert_sql(asked_, part.front(), "") : insert_many_sql(asked_, part, "");
    auto answered = attempt(asked_, sql);
    if (answered.rows) return true;
    if (part.size() == 1) {
        note(answered, place(first));
        return !over_;
    }
    auto half = part.size() / 2;
    return store_part(part.first(half), first, place) && store_part(part.subspan(half), first + half, place);
}

bool RefusedRows::store(std::span<const Written> alike, const std::function<Place(std::size_t)>& place) {
    return !over_ && store_part(alike, 0, place);
}

std::optional<http::Reply> RefusedRows::reply() {
    if (!told_) return {};
    if (records_ > 1)
        told_->problem.detail = std::to_string(records_) + " records are refused; `errors` has each place.";
    return refuse(asked_, std::move(told_->problem), std::move(told_->rule));
}

}  // namespace integreat::collections
