// SPDX-License-Identifier: Apache-2.0
#include "services/collections/testing/collections_fixture.h"

#include <atomic>
#include <cstdio>
#include <map>

#include "base/concurrency/synchronized.h"
#include "postgres/driver/connection.h"
#include "services/collections/schema/table_definitions.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections::testing {

namespace {

using Names = std::vector<std::string>;

const Names signed_in{"student", "professor", "registrar", "admin", "none"};
const Names all_roles{"student", "professor", "registrar", "admin", "none", "anonymous"};

Field field(std::string name, FieldType type) {
    Field result;
    result.name = std::move(name);
    result.type = type;
    return result;
}

Field system_field(std::string name, FieldType type) {
    auto result = field(std::move(name), type);
    result.system = true;
    result.required = result.name != "created_by";
    return result;
}

Field text(std::string name, std::int64_t max_length = 200) {
    auto result = field(std::move(name), FieldType::text);
    result.max_length = max_length;
    return result;
}

Field money(std::string name) {
    auto result = field(std::move(name), FieldType::money);
    result.currency = "PHP";
    result.min = "0";
    result.default_kind = Field::Default::literal;
    result.default_literal = "0";
    return result;
}

Field decimal(std::string name, int digits, int scale) {
    auto result = field(std::move(name), FieldType::decimal);
    result.precision = digits;
    result.scale = scale;
    return result;
}

Field number(std::string name, std::string least, std::string most) {
    auto result = field(std::move(name), FieldType::integer);
    result.min = std::move(least);
    result.max = std::move(most);
    return result;
}

Field choice(std::string name, Names values) {
    auto result = field(std::move(name), FieldType::enumeration);
    result.values = std::move(values);
    return result;
}

Field reference(std::string name, std::string target, Field::OnDelete on_delete = Field::OnDelete::restrict) {
    auto result = field(std::move(name), FieldType::reference);
    result.target = std::move(target);
    result.on_delete = on_delete;
    return result;
}

Field rollup(Field result, Rollup over) {
    result.rollup = std::move(over);
    return result;
}

Field required(Field result) {
    result.required = true;
    return result;
}
Field unique(Field result) {
    result.unique = true;
    return result;
}
Field personal(Field result) {
    result.personal = true;
    return result;
}
Field immutable(Field result) {
    result.immutable = true;
    return result;
}

// Rules as in a manifest; set_default_fields() completes them.
Rule by(Names roles) {
    Rule rule;
    rule.roles = std::move(roles);
    return rule;
}
Rule owned(Rule rule, std::string owner, bool is_list = false) {
    rule.owner = std::move(owner);
    rule.owner_is_list = is_list;
    return rule;
}
Rule through(Rule rule, std::string path, std::vector<Path::Step> steps, std::string end) {
    rule.through = Path{std::move(steps), std::move(end), false, std::move(path)};
    return rule;
}
Rule within(Rule rule, Names states) {
    rule.states = std::move(states);
    return rule;
}
Rule only(Rule rule, Names fields) {
    rule.fields = std::move(fields);
    return rule;
}

constexpr bool backward = true;

Collection collection(std::string name, std::vector<Field> fields, Names states = {}) {
    Collection result;
    result.name = result.title = std::move(name);
    result.fields.push_back(system_field("id", FieldType::id));
    if (!states.empty()) {
        result.initial_state = states.front();
        auto state = system_field("state", FieldType::enumeration);
        state.values = std::move(states);
        result.fields.push_back(std::move(state));
    }
    for (auto& one : fields)
        result.fields.push_back(std::move(one));
    result.fields.push_back(system_field("created_at", FieldType::timestamp));
    result.fields.push_back(system_field("created_by", FieldType::user));
    result.fields.push_back(system_field("updated_at", FieldType::timestamp));
    result.fields.push_back(system_field("version", FieldType::integer));
    result.history_roles = {"admin"};
    return result;
}

void set_default_fields(Collection& result) {
    Names visible, creatable, changeable, always;
    for (const auto& one : result.fields) {
        visible.push_back(one.name);
        if (one.system) always.push_back(one.name);
        if (one.writable()) creatable.push_back(one.name);
        if (one.writable() && !one.immutable) changeable.push_back(one.name);
    }
    for (auto& rule : result.read) {
        if (rule.fields.empty()) rule.fields = visible;
        for (const auto& name : always) {
            if (std::find(rule.fields.begin(), rule.fields.end(), name) == rule.fields.end())
                rule.fields.push_back(name);
        }
    }
    for (auto& rule : result.create) {
        if (rule.fields.empty()) rule.fields = creatable;
    }
    for (auto& rule : result.update) {
        if (rule.fields.empty()) rule.fields = changeable;
    }
    for (auto& rule : result.remove)
        rule.fields = visible;
    for (auto& transition : result.transitions) {
        for (auto& rule : transition.allow)
            rule.fields = visible;
    }
}

// Professors read the names of their students; students update their own contact data.
Collection students() {
    auto user = unique(field("user", FieldType::user));
    user.personal = true;
    auto born = personal(field("born", FieldType::date));
    born.max = "2020-12-31";
    auto result = collection("students", {std::move(user), required(personal(text("name"))),
                                          unique(required(personal(field("email", FieldType::email)))),
                                          personal(field("phone", FieldType::phone)),
                                          personal(field("address", FieldType::address)), std::move(born),
                                          choice("program", {"bsit", "bscs"}), text("notes", 500)});
    result.search = {"name", "notes"};
    result.sort = {{"name", false}};
    result.subject = "user";
    result.soft_delete = true;
    result.read = {
        by({"registrar", "admin"}), owned(by({"student"}), "user"),
        only(through(by({"professor"}), "enrollments[student].section.professor",
                     {{backward, "enrollments", "student"}, {false, "sections", "section"}}, "professor"),
             {"name", "program"})};
    result.create = {by({"registrar"})};
    result.update = {by({"registrar"}), only(owned(by({"student"}), "user"), {"phone", "address"})};
    result.remove = {by({"admin"})};
    return result;
}

// Sections are public; their professors and assistants set the room.
Collection sections() {
    auto assistants = field("assistants", FieldType::list);
    assistants.element = FieldType::user;
    assistants.max_items = 5;
    auto total = money("total");
    total.default_kind = Field::Default::none;
    total.generated_sql = "(\"fee\" * \"capacity\")";
    auto result = collection(
        "sections",
        {required(text("title")), field("professor", FieldType::user), std::move(assistants),
         number("capacity", "1", "500"), decimal("units", 4, 2), money("fee"), std::move(total), text("room"),
         rollup(field("enrolled", FieldType::integer), {"count", "enrollments", "section", "", ""}),
         rollup(money("collected"), {"sum", "enrollments", "section", "paid", ""})});
    result.unique = {{"title", "professor"}};
    result.sort = {{"created_at", true}};
    result.read = {by(all_roles)};
    result.create = {by({"registrar"})};
    result.update = {by({"registrar"}), only(owned(by({"professor"}), "professor"), {"room"}),
                     only(owned(by({"student"}), "assistants", true), {"room"})};
    result.remove = {by({"registrar"})};
    return result;
}

// Requested by students, decided by the registrar, completed by the professor once paid.
Collection enrollments() {
    auto balance = decimal("balance", 20, 0);
    balance.generated_sql = "(\"tuition\" - \"paid\")";
    auto result =
        collection("enrollments",
                   {immutable(required(reference("student", "students"))),
                    required(reference("section", "sections")), text("remarks", 500), money("tuition"),
                    money("paid"), std::move(balance), number("rating", "1", "5"),
                    rollup(decimal("average", 3, 2), {"avg", "grades", "enrollment", "value", ""}),
                    rollup(decimal("weighted", 3, 2), {"wavg", "grades", "enrollment", "value", "units"})},
                   {"pending", "enrolled", "completed", "dropped"});
    result.unique = {{"student", "section"}};
    result.search = {"remarks"};
    result.sort = {{"created_at", true}};
    auto own = through(by({"student"}), "student.user", {{false, "students", "student"}}, "user");
    auto taught =
        through(by({"professor"}), "section.professor", {{false, "sections", "section"}}, "professor");
    result.read = {by({"registrar", "admin"}), own, taught};
    result.create = {by({"registrar"}), only(own, {"student", "section"})};
    result.update = {only(by({"registrar"}), {"section", "remarks", "tuition", "paid"}),
                     only(within(own, {"pending"}), {"remarks"})};
    result.remove = {by({"admin"})};
    Transition enroll{.name = "enroll", .summary = "", .from = {"pending"}, .to = "enrolled"};
    enroll.allow = {by({"registrar"})};
    enroll.publishes = true;
    Transition drop{.name = "drop", .summary = "", .from = {"pending", "enrolled"}, .to = "dropped"};
    drop.allow = {by({"registrar"}), own};
    drop.accepts = {"remarks"};
    Transition complete{.name = "complete", .summary = "", .from = {"enrolled"}, .to = "completed"};
    complete.allow = {taught};
    complete.requires_fields = {"rating"};
    complete.accepts = {"rating"};
    complete.guard_sql = "(\"balance\" <= 0)";
    complete.guard = "balance <= 0";
    Transition rate{.name = "rate", .summary = "", .from = {"completed"}, .to = "completed"};
    rate.allow = {taught};
    rate.accepts = {"rating"};
    result.transitions = {enroll, drop, complete, rate};
    return result;
}

// Written by professors; students read their own.
Collection grades() {
    auto value = required(decimal("value", 3, 2));
    value.min = "1.00";
    value.max = "5.00";
    auto given = field("given_on", FieldType::date);
    given.default_kind = Field::Default::today;
    auto by_whom = field("given_by", FieldType::user);
    by_whom.default_kind = Field::Default::caller;
    auto result = collection(
        "grades",
        {immutable(required(reference("enrollment", "enrollments", Field::OnDelete::cascade))),
         std::move(value), number("units", "1", "6"), text("comment"), std::move(given), std::move(by_whom)});
    auto taught =
        through(by({"professor"}), "enrollment.section.professor",
                {{false, "enrollments", "enrollment"}, {false, "sections", "section"}}, "professor");
    auto own = through(by({"student"}), "enrollment.student.user",
                       {{false, "enrollments", "enrollment"}, {false, "students", "student"}}, "user");
    result.read = {by({"registrar"}), own, taught};
    result.create = {only(taught, {"enrollment", "value", "units", "comment"})};
    result.update = {only(taught, {"value", "units", "comment"})};
    result.remove = {taught};
    return result;
}

// Drafts are visible to their author only; published announcements to every signed-in user.
Collection announcements() {
    auto tags = field("tags", FieldType::list);
    tags.element = FieldType::text;
    tags.max_items = 3;
    auto extra = field("extra", FieldType::json);
    extra.max_bytes = 1024;
    auto result =
        collection("announcements",
                   {required(text("body", 2'000)), reference("section", "sections", Field::OnDelete::clear),
                    std::move(tags), std::move(extra), field("until", FieldType::timestamp),
                    field("pinned", FieldType::boolean), field("poster", FieldType::file)},
                   {"draft", "published"});
    auto author = owned(by(signed_in), "created_by");
    result.read = {within(by(signed_in), {"published"}), author};
    result.create = {by({"professor", "registrar"})};
    result.update = {within(author, {"draft"})};
    result.remove = {author};
    Transition publish{.name = "publish", .summary = "", .from = {"draft"}, .to = "published"};
    publish.allow = {author};
    result.transitions = {publish};
    return result;
}

// Anyone may create a few inquiries; only the registrar reads them.
Collection inquiries() {
    auto result = collection(
        "inquiries", {required(personal(text("question", 1'000))), personal(field("email", FieldType::email)),
                      reference("section", "sections")});
    result.subject = "email";
    result.max_per_owner = 20;
    result.create = {by(all_roles)};
    result.read = {by({"registrar"})};
    return result;
}

}  // namespace

std::shared_ptr<const Model> make_school_model() {
    auto model = std::make_shared<Model>();
    model->app = {"school"};
    model->title = "School";
    model->roles = all_roles;
    model->collections = {students(), sections(), enrollments(), grades(), announcements(), inquiries()};
    for (auto& one : model->collections)
        set_default_fields(one);
    return model;
}

MigrationOptions make_migration_options(const postgres::testing::TestDatabase& database) {
    return {.url = database.superuser_url,
            .login_role = database.role,
            .owner = std::string(owner_role),
            .deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60)};
}

namespace {

template <class T>
T value_or_abort(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "the tables cannot be created: %s (%s)\n", result.error().message.c_str(),
                     result.error().cause.c_str());
        std::abort();
    }
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace

// Migrates one database per model and returns clones of it.
postgres::testing::TestDatabase make_database(const Model& model) {
    using postgres::testing::TestDatabase;
    static Synchronized<std::map<std::string, TestDatabase>> templates;
    static std::atomic<int> count{0};
    auto locked_templates = templates.lock();
    auto fingerprint = model.app.text + schema_fingerprint(model);
    auto found = locked_templates->find(fingerprint);
    if (found == locked_templates->end()) {
        auto database = postgres::testing::fresh_database(model.app);
        value_or_abort(apply_migration(model, make_migration_options(database)));
        found = locked_templates->emplace(fingerprint, std::move(database)).first;
    }
    auto& server = postgres::testing::shared_server();
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    postgres::ConnectFailure failure;
    auto connection = postgres::Connection::open(server.superuser_url("postgres"), until, failure);
    if (!connection) value_or_abort(Result<>(failure.error));
    auto clone = found->second;
    auto old_name = std::exchange(clone.name, clone.name + "_" + std::to_string(++count));
    value_or_abort(connection->script("CREATE DATABASE " + clone.name + " OWNER integreat_owner TEMPLATE " +
                                          old_name + " STRATEGY file_copy",
                                      until));
    auto renamed = [&](const Secret& url) {
        auto text = url.reveal();
        return Secret(text.replace(text.find("dbname='" + old_name + "'"), old_name.size() + 9,
                                   "dbname='" + clone.name + "'"));
    };
    clone.pool.url = renamed(clone.pool.url);
    clone.superuser_url = renamed(clone.superuser_url);
    return clone;
}

namespace {

constexpr const char* empty_sql = R"sql(
SET session_replication_role = replica;
DO $$ DECLARE names text; BEGIN
    SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') INTO names FROM pg_catalog.pg_tables
        WHERE schemaname = 'data' OR (schemaname = 'integreat' AND tablename IN
            ('changes', 'followers', 'idempotency_keys', 'erasures'));
    EXECUTE 'TRUNCATE ' || names || ' RESTART IDENTITY';
END $$)sql";

Synchronized<std::multimap<std::string, postgres::testing::TestDatabase>>& idle_databases() {
    static Synchronized<std::multimap<std::string, postgres::testing::TestDatabase>> all;
    return all;
}

}  // namespace

PooledTestDatabase::PooledTestDatabase(const Model& model)
    : model_(model.app.text + schema_fingerprint(model)) {
    {
        auto idle = idle_databases().lock();
        if (auto found = idle->find(model_); found != idle->end()) {
            database_ = std::move(found->second);
            idle->erase(found);
            return;
        }
    }
    database_ = make_database(model);
}

PooledTestDatabase::~PooledTestDatabase() {
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    postgres::ConnectFailure failure;
    auto connection = postgres::Connection::open(database_.superuser_url, until, failure);
    if (!connection) value_or_abort(Result<>(failure.error));
    value_or_abort(connection->script(empty_sql, until));
    idle_databases().lock()->emplace(model_, std::move(database_));
}

postgres::testing::TestDatabase make_database(const Model& model, postgres::EmbeddedPostgres& server) {
    auto database = postgres::testing::fresh_database(server, model.app);
    value_or_abort(apply_migration(model, make_migration_options(database)));
    return database;
}

}  // namespace integreat::collections::testing
