// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/migration_plan.h"

#include <fmt/format.h>

#include "base/text/ascii.h"
#include "postgres/driver/connection.h"
#include "postgres/driver/identifier.h"
#include "services/collections/schema/schema_diff.h"
#include "services/collections/views/caller_role.h"

namespace integreat::collections {

namespace {

using postgres::Connection;

Result<std::unique_ptr<Connection>> connect(const MigrationOptions& options) {
    postgres::ConnectFailure failure;
    auto connection = Connection::open(options.url, options.deadline, failure);
    if (!connection) return failure.error;
    return connection;
}

Result<MigrationPlan> plan_with(Connection& connection, const Model& model, const MigrationOptions& options) {
    auto target = make_target_schema(model);
    auto current = TRY(read_current_schema(connection, options.login_role, options.deadline));
    return diff_schema({.app = model.app,
                        .target = target,
                        .current = current,
                        .options = options,
                        .has_nulls = [&](const std::string& table, const std::string& column) {
                            return has_nulls(connection, table, column, options.deadline);
                        }});
}

// Migrations of a database run one at a time, and the lock timeout keeps them from waiting long for busy
// tables.
Result<> begin(Connection& connection, const MigrationOptions& options) {
    return connection.script(
        fmt::format("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('integreat.models', 0)); "
                    "SET LOCAL lock_timeout = {}",
                    options.lock_timeout.count()),
        options.deadline);
}

std::string join_sentences(const std::vector<std::string>& sentences) {
    auto text = join(sentences, "; ");
    return text;
}

Result<> refuse_unsafe(const MigrationPlan& plan, const Model& model, const MigrationOptions& options) {
    if (!plan.blockers.empty()) {
        return Error{
            Fault::conflict,
            "the tables of " + model.app.text + " cannot be changed yet: " + join_sentences(plan.blockers),
            "blockers"};
    }
    if (!plan.loses_data() || options.allow_destructive) return {};
    std::vector<std::string> losses;
    for (const auto& step : plan.steps) {
        if (step.risk == MigrationRisk::data_loss) losses.push_back(step.description);
    }
    return Error{
        Fault::conflict,
        fmt::format("the tables of {} would lose data ({}): make a backup and run integreat db apply "
                    "--app {} --allow-destructive --backup-note \"where it is\"",
                    model.app.text, join_sentences(losses), model.app.text),
        "data loss"};
}

Error step_error(const MigrationStep& step, Error error) {
    error.message = "the migration failed and was rolled back: " + step.description;
    if (error.cause.starts_with("55P03")) {
        error.message += ", but a table is in use; try again later";
    } else if (error.cause.starts_with("23")) {
        error.fault = Fault::conflict;
        error.message += ", but some records do not fit";
    }
    return error;
}

Result<> execute_steps(Connection& connection, const std::vector<MigrationStep>& steps,
                       const MigrationOptions& options) {
    for (const auto& step : steps) {
        bool as_owner = !options.owner.empty() && !step.as_connecting_role;
        auto role = as_owner ? postgres::quote_identifier(options.owner) : std::string("NONE");
        auto done = connection.script("SET LOCAL ROLE " + role + ";\n" + step.sql, options.deadline);
        if (!done) return step_error(step, std::move(done).error());
    }
    return {};
}

Result<> record_migration(Connection& connection, const MigrationPlan& plan,
                          const MigrationOptions& options) {
    bool destructive = plan.loses_data() || (options.allow_destructive && !plan.retired.empty());
    std::array<postgres::Value, 3> values{plan.fingerprint, destructive ? "true" : "false",
                                          destructive ? postgres::Value(options.backup_note) : std::nullopt};
    postgres::Statement insert{
        "INSERT INTO integreat.models (fingerprint, destructive, backup_note) VALUES ($1, $2, $3)", values};
    TRY(connection.execute_pipeline({&insert, 1}, false, options.deadline));
    return {};
}

}  // namespace

Result<MigrationPlan> plan_migration(const Model& model, const MigrationOptions& options) {
    auto connection = TRY(connect(options));
    return plan_with(*connection, model, options);
}

Result<MigrationPlan> apply_migration(const Model& model, const MigrationOptions& options) {
    if (options.allow_destructive && options.backup_note.empty()) {
        return Error{Fault::invalid, "--backup-note is missing: give the location of the backup",
                     "no backup note"};
    }
    auto connection = TRY(connect(options));
    TRY(begin(*connection, options));
    auto plan = TRY(plan_with(*connection, model, options));
    TRY(refuse_unsafe(plan, model, options));
    bool drops = options.allow_destructive && !plan.retired.empty();
    if (!plan.steps.empty() || drops) {
        TRY(execute_steps(*connection, plan.steps, options));
        if (drops) TRY(execute_steps(*connection, plan.retired, options));
        if (!options.owner.empty())
            TRY(connection->script("SET LOCAL ROLE " + postgres::quote_identifier(options.owner),
                                   options.deadline));
        TRY(record_migration(*connection, plan, options));
    }
    TRY(connection->script("COMMIT", options.deadline));
    return plan;
}

}  // namespace integreat::collections
