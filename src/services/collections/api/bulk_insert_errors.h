// SPDX-License-Identifier: Apache-2.0
// Which of many new records the database refuses, and why: after their statement was refused, they are
// stored once more, in a transaction that is not to last, each half of what is refused by itself until single
// records are left. Of each the first refusal is told, as Postgres does not look for a second; one that
// repeats another of the same body is refused where it comes second. Somebody else may change meanwhile what
// decides: then nothing may be refused any more.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "services/collections/api/operation.h"
#include "services/collections/api/record_body.h"

namespace integreat::collections {

inline constexpr std::size_t refused_rows_max = 100;  // That are told.

class RefusedRows {
public:
    // Begins the transaction; the call's own one, which has failed, waits aside until the end.
    explicit RefusedRows(Asked& asked);
    ~RefusedRows();
    RefusedRows(const RefusedRows&) = delete;

    // `place` is where record `i` of these stands. False if there is no sense in more: enough refusals are
    // known, or the database does not answer.
    bool store(std::span<const Written> alike, const std::function<Place(std::size_t)>& place);

    // The problem with the places of all; nothing if none was refused.
    std::optional<http::Reply> reply();

private:
    bool store_part(std::span<const Written> part, std::size_t first,
                    const std::function<Place(std::size_t)>& place);
    void note(const Answered& answered, const Place& place);

    Asked& asked_;
    postgres::Transaction* outer_;
    std::optional<postgres::Transaction> transaction_;
    std::optional<RefusalTold> told_;  // Of the first record, with the places of all.
    std::size_t records_ = 0;
    bool over_ = false;
};

}  // namespace integreat::collections
