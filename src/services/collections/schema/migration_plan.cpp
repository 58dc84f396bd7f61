// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/migration_plan.h"

#include <fmt/format.h>

#include "postgres/driver/connection.h"
#include "postgres/driver/identifier.h"
#include "services/collections/schema/schema_diff.h"
#include "services/collections/views/caller_role.h"

namespace integreat::collections {

namespace {

using postgres::Connection;

Result<std::unique_ptr<Connection>> connect(const SchemaOrder& order) {
    postgres::ConnectFailure failure;
    auto connection = Connection::open(order.url, order.until, failure);
    if (!connection) return failure.error;
    return connection;
}

Result<Plan> plan_on(Connection& connection, const Model& model, const SchemaOrder& order) {
    auto desired = desired_of(model);
    auto found = TRY(find_tables(connection, order.login_role, order.until));
    return compare({.app = model.app,
                    .desired = desired,
                    .found = found,
                    .order = order,
                    .has_nulls = [&](const std::string& table, const std::string& column) {
                        return has_nulls(connection, table, column, order.until);
                    }});
}

// One application at a time changes a database, and none waits long for those who use a table.
Result<> begin(Connection& connection, const SchemaOrder& order) {
    return connection.script(
        fmt::format("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('integreat.models', 0)); "
                    "SET LOCAL lock_timeout = {}",
                    order.lock_timeout.count()),
        order.until);
}

std::string all_of(const std::vector<std::string>& sentences) {
    std::string text;
    for (const auto& sentence : sentences)
        text += (text.empty() ? "" : "; ") + sentence;
    return text;
}

Result<> refuse_unsafe(const Plan& plan, const Model& model, const SchemaOrder& order) {
    if (!plan.obstacles.empty()) {
        return Error{Fault::conflict,
                     "the tables of " + model.app.text + " cannot be changed yet: " + all_of(plan.obstacles),
                     "obstacles"};
    }
    if (!plan.loses_data() || order.allow_destructive) return {};
    std::vector<std::string> losses;
    for (const auto& step : plan.steps) {
        if (step.danger == Danger::data_loss) losses.push_back(step.sentence);
    }
    return Error{
        Fault::conflict,
        fmt::format("the tables of {} would lose data ({}): make a backup, and run integreat db apply "
                    "--app {} --allow-destructive --backup-note \"where it is\"",
                    model.app.text, all_of(losses), model.app.text),
        "data loss"};
}

Error failed_at(const PlannedStep& step, Error error) {
    error.message = "the tables cannot be changed, and are as they were: " + step.sentence;
    if (error.cause.starts_with("55P03")) {
        error.message += ", but a table is in use; try again later";
    } else if (error.cause.starts_with("23")) {
        error.fault = Fault::conflict;
        error.message += ", but some records do not fit";
    }
    return error;
}

Result<> carry_out(Connection& connection, const std::vector<PlannedStep>& steps, const SchemaOrder& order) {
    for (const auto& step : steps) {
        bool as_owner = !order.owner.empty() && !step.of_server;
        auto role = as_owner ? postgres::quote_identifier(order.owner) : std::string("NONE");
        auto done = connection.script("SET LOCAL ROLE " + role + ";\n" + step.sql, order.until);
        if (!done) return failed_at(step, std::move(done).error());
    }
    return {};
}

Result<> note(Connection& connection, const Plan& plan, const SchemaOrder& order) {
    bool destructive = plan.loses_data() || (order.allow_destructive && !plan.leftovers.empty());
    std::array<postgres::Value, 3> values{plan.fingerprint, destructive ? "true" : "false",
                                          destructive ? postgres::Value(order.backup_note) : std::nullopt};
    postgres::Statement insert{
        "INSERT INTO integreat.models (fingerprint, destructive, backup_note) VALUES ($1, $2, $3)", values};
    TRY(connection.exchange({&insert, 1}, false, order.until));
    return {};
}

}  // namespace

Result<Plan> plan_tables(const Model& model, const SchemaOrder& order) {
    auto connection = TRY(connect(order));
    return plan_on(*connection, model, order);
}

Result<Plan> apply_plan(const Model& model, const SchemaOrder& order) {
    if (order.allow_destructive && order.backup_note.empty()) {
        return Error{Fault::invalid,
                     "say with --backup-note where the backup is that data could come back from",
                     "no backup note"};
    }
    auto connection = TRY(connect(order));
    TRY(begin(*connection, order));
    auto plan = TRY(plan_on(*connection, model, order));
    TRY(refuse_unsafe(plan, model, order));
    bool drops = order.allow_destructive && !plan.leftovers.empty();
    if (!plan.steps.empty() || drops) {
        TRY(carry_out(*connection, plan.steps, order));
        if (drops) TRY(carry_out(*connection, plan.leftovers, order));
        if (!order.owner.empty())
            TRY(connection->script("SET LOCAL ROLE " + postgres::quote_identifier(order.owner), order.until));
        TRY(note(*connection, plan, order));
    }
    TRY(connection->script("COMMIT", order.until));
    return plan;
}

}  // namespace integreat::collections
