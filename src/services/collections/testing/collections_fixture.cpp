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
const Names everybody{"student", "professor", "registrar", "admin", "none", "anonymous"};

Field field(std::string name, FieldType type) {
    Field made;
    made.name = std::move(name);
    made.type = type;
    return made;
}

Field system_field(std::string name, FieldType type) {
    auto made = field(std::move(name), type);
    made.system = true;
    made.required = made.name != "created_by";
    return made;
}

Field text(std::string name, std::int64_t length_max = 200) {
    auto made = field(std::move(name), FieldType::text);
    made.length_max = length_max;
    return made;
}

Field money(std::string name) {
    auto made = field(std::move(name), FieldType::money);
    made.currency = "PHP";
    made.least = "0";
    made.default_kind = Field::Default::literal;
    made.default_literal = "0";
    return made;
}

Field decimal(std::string name, int digits, int scale) {
    auto made = field(std::move(name), FieldType::decimal);
    made.digits = digits;
    made.scale = scale;
    return made;
}

Field number(std::string name, std::string least, std::string most) {
    auto made = field(std::move(name), FieldType::integer);
    made.least = std::move(least);
    made.most = std::move(most);
    return made;
}

Field choice(std::string name, Names values) {
    auto made = field(std::move(name), FieldType::enumeration);
    made.values = std::move(values);
    return made;
}

Field reference(std::string name, std::string target, Field::OnDelete on_delete = Field::OnDelete::restrict) {
    auto made = field(std::move(name), FieldType::reference);
    made.target = std::move(target);
    made.on_delete = on_delete;
    return made;
}

Field rollup(Field made, Field::Rollup over) {
    made.rollup = std::move(over);
    return made;
}

Field required(Field made) {
    made.required = true;
    return made;
}
Field unique(Field made) {
    made.unique = true;
    return made;
}
Field personal(Field made) {
    made.personal = true;
    return made;
}
Field immutable(Field made) {
    made.immutable = true;
    return made;
}

// Rules as a manifest gives them; what they leave open is filled in by finish().
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
    Collection made;
    made.name = made.title = std::move(name);
    made.fields.push_back(system_field("id", FieldType::id));
    if (!states.empty()) {
        made.initial_state = states.front();
        auto state = system_field("state", FieldType::enumeration);
        state.values = std::move(states);
        made.fields.push_back(std::move(state));
    }
    for (auto& one : fields)
        made.fields.push_back(std::move(one));
    made.fields.push_back(system_field("created_at", FieldType::timestamp));
    made.fields.push_back(system_field("created_by", FieldType::user));
    made.fields.push_back(system_field("updated_at", FieldType::timestamp));
    made.fields.push_back(system_field("version", FieldType::integer));
    made.history_roles = {"admin"};
    return made;
}

void finish(Collection& made) {
    Names visible, creatable, changeable, always;
    for (const auto& one : made.fields) {
        visible.push_back(one.name);
        if (one.system) always.push_back(one.name);
        if (one.writable()) creatable.push_back(one.name);
        if (one.writable() && !one.immutable) changeable.push_back(one.name);
    }
    for (auto& rule : made.read) {
        if (rule.fields.empty()) rule.fields = visible;
        for (const auto& name : always) {
            if (std::find(rule.fields.begin(), rule.fields.end(), name) == rule.fields.end())
                rule.fields.push_back(name);
        }
    }
    for (auto& rule : made.create) {
        if (rule.fields.empty()) rule.fields = creatable;
    }
    for (auto& rule : made.update) {
        if (rule.fields.empty()) rule.fields = changeable;
    }
    for (auto& rule : made.remove)
        rule.fields = visible;
    for (auto& transition : made.transitions) {
        for (auto& rule : transition.allow)
            rule.fields = visible;
    }
}

// A professor knows the names of those they teach, a student changes what is theirs.
Collection students() {
    auto user = unique(field("user", FieldType::user));
    user.personal = true;
    auto born = personal(field("born", FieldType::date));
    born.most = "2020-12-31";
    auto made = collection("students", {std::move(user), required(personal(text("name"))),
                                        unique(required(personal(field("email", FieldType::email)))),
                                        personal(field("phone", FieldType::phone)),
                                        personal(field("address", FieldType::address)), std::move(born),
                                        choice("program", {"bsit", "bscs"}), text("notes", 500)});
    made.search = {"name", "notes"};
    made.sort = {{"name", false}};
    made.subject = "user";
    made.soft_delete = true;
    made.read = {
        by({"registrar", "admin"}), owned(by({"student"}), "user"),
        only(through(by({"professor"}), "enrollments[student].section.professor",
                     {{backward, "enrollments", "student"}, {false, "sections", "section"}}, "professor"),
             {"name", "program"})};
    made.create = {by({"registrar"})};
    made.update = {by({"registrar"}), only(owned(by({"student"}), "user"), {"phone", "address"})};
    made.remove = {by({"admin"})};
    return made;
}

// Everybody may read sections; who teaches one, or assists, names its room.
Collection sections() {
    auto assistants = field("assistants", FieldType::list);
    assistants.element = FieldType::user;
    assistants.items_max = 5;
    auto total = money("total");
    total.default_kind = Field::Default::none;
    total.generated_sql = "(\"fee\" * \"capacity\")";
    auto made = collection(
        "sections",
        {required(text("title")), field("professor", FieldType::user), std::move(assistants),
         number("capacity", "1", "500"), decimal("units", 4, 2), money("fee"), std::move(total), text("room"),
         rollup(field("enrolled", FieldType::integer), {"count", "enrollments", "section", "", ""}),
         rollup(money("collected"), {"sum", "enrollments", "section", "paid", ""})});
    made.unique = {{"title", "professor"}};
    made.sort = {{"created_at", true}};
    made.read = {by(everybody)};
    made.create = {by({"registrar"})};
    made.update = {by({"registrar"}), only(owned(by({"professor"}), "professor"), {"room"}),
                   only(owned(by({"student"}), "assistants", true), {"room"})};
    made.remove = {by({"registrar"})};
    return made;
}

// Asked for by a student, decided by the registrar, completed by who teaches once it is paid.
Collection enrollments() {
    auto balance = decimal("balance", 20, 0);
    balance.generated_sql = "(\"tuition\" - \"paid\")";
    auto made =
        collection("enrollments",
                   {immutable(required(reference("student", "students"))),
                    required(reference("section", "sections")), text("remarks", 500), money("tuition"),
                    money("paid"), std::move(balance), number("rating", "1", "5"),
                    rollup(decimal("average", 3, 2), {"avg", "grades", "enrollment", "value", ""}),
                    rollup(decimal("weighted", 3, 2), {"wavg", "grades", "enrollment", "value", "units"})},
                   {"pending", "enrolled", "completed", "dropped"});
    made.unique = {{"student", "section"}};
    made.search = {"remarks"};
    made.sort = {{"created_at", true}};
    auto own = through(by({"student"}), "student.user", {{false, "students", "student"}}, "user");
    auto taught =
        through(by({"professor"}), "section.professor", {{false, "sections", "section"}}, "professor");
    made.read = {by({"registrar", "admin"}), own, taught};
    made.create = {by({"registrar"}), only(own, {"student", "section"})};
    made.update = {only(by({"registrar"}), {"section", "remarks", "tuition", "paid"}),
                   only(within(own, {"pending"}), {"remarks"})};
    made.remove = {by({"admin"})};
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
    made.transitions = {enroll, drop, complete, rate};
    return made;
}

// By who teaches; a student sees their own.
Collection grades() {
    auto value = required(decimal("value", 3, 2));
    value.least = "1.00";
    value.most = "5.00";
    auto given = field("given_on", FieldType::date);
    given.default_kind = Field::Default::today;
    auto by_whom = field("given_by", FieldType::user);
    by_whom.default_kind = Field::Default::caller;
    auto made = collection(
        "grades",
        {immutable(required(reference("enrollment", "enrollments", Field::OnDelete::cascade))),
         std::move(value), number("units", "1", "6"), text("comment"), std::move(given), std::move(by_whom)});
    auto taught =
        through(by({"professor"}), "enrollment.section.professor",
                {{false, "enrollments", "enrollment"}, {false, "sections", "section"}}, "professor");
    auto own = through(by({"student"}), "enrollment.student.user",
                       {{false, "enrollments", "enrollment"}, {false, "students", "student"}}, "user");
    made.read = {by({"registrar"}), own, taught};
    made.create = {only(taught, {"enrollment", "value", "units", "comment"})};
    made.update = {only(taught, {"value", "units", "comment"})};
    made.remove = {taught};
    return made;
}

// A draft is its author's alone; what is published, everybody who is signed in may read.
Collection announcements() {
    auto tags = field("tags", FieldType::list);
    tags.element = FieldType::text;
    tags.items_max = 3;
    auto extra = field("extra", FieldType::json);
    extra.bytes_max = 1024;
    auto made =
        collection("announcements",
                   {required(text("body", 2'000)), reference("section", "sections", Field::OnDelete::clear),
                    std::move(tags), std::move(extra), field("until", FieldType::timestamp),
                    field("pinned", FieldType::boolean), field("poster", FieldType::file)},
                   {"draft", "published"});
    auto author = owned(by(signed_in), "created_by");
    made.read = {within(by(signed_in), {"published"}), author};
    made.create = {by({"professor", "registrar"})};
    made.update = {within(author, {"draft"})};
    made.remove = {author};
    Transition publish{.name = "publish", .summary = "", .from = {"draft"}, .to = "published"};
    publish.allow = {author};
    made.transitions = {publish};
    return made;
}

// Anybody may ask; only the registrar reads the questions.
Collection inquiries() {
    auto made = collection(
        "inquiries", {required(personal(text("question", 1'000))), personal(field("email", FieldType::email)),
                      reference("section", "sections")});
    made.subject = "email";
    made.create = {by(everybody)};
    made.read = {by({"registrar"})};
    return made;
}

}  // namespace

std::shared_ptr<const Model> school() {
    auto model = std::make_shared<Model>();
    model->app = {"school"};
    model->title = "School";
    model->roles = everybody;
    model->collections = {students(), sections(), enrollments(), grades(), announcements(), inquiries()};
    for (auto& one : model->collections)
        finish(one);
    return model;
}

SchemaOrder order_for(const postgres::testing::TestDatabase& database) {
    return {.url = database.superuser_url,
            .login_role = database.role,
            .owner = std::string(owner_role),
            .until = std::chrono::steady_clock::now() + std::chrono::seconds(60)};
}

namespace {

template <class T>
T must(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "the tables cannot be had: %s (%s)\n", result.error().message.c_str(),
                     result.error().cause.c_str());
        std::abort();
    }
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace

// Made once for each model; what is handed out is a clone.
postgres::testing::TestDatabase database_for(const Model& model) {
    using postgres::testing::TestDatabase;
    static Guarded<std::map<std::string, TestDatabase>> bases;
    static std::atomic<int> count{0};
    auto bases_now = bases.lock();
    auto fingerprint = model.app.text + fingerprint_of(model);
    auto base = bases_now->find(fingerprint);
    if (base == bases_now->end()) {
        auto database = postgres::testing::fresh_database(model.app);
        must(apply_plan(model, order_for(database)));
        base = bases_now->emplace(fingerprint, std::move(database)).first;
    }
    auto& server = postgres::testing::shared_server();
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    postgres::ConnectFailure failure;
    auto connection = postgres::Connection::open(server.superuser_url("postgres"), until, failure);
    if (!connection) must(Result<>(failure.error));
    auto clone = base->second;
    auto old_name = std::exchange(clone.name, clone.name + "_" + std::to_string(++count));
    must(connection->script("CREATE DATABASE " + clone.name + " OWNER integreat_owner TEMPLATE " + old_name +
                                " STRATEGY file_copy",
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

Guarded<std::multimap<std::string, postgres::testing::TestDatabase>>& idle_databases() {
    static Guarded<std::multimap<std::string, postgres::testing::TestDatabase>> all;
    return all;
}

}  // namespace

LentDatabase::LentDatabase(const Model& model) : model_(model.app.text + fingerprint_of(model)) {
    {
        auto idle = idle_databases().lock();
        if (auto found = idle->find(model_); found != idle->end()) {
            database_ = std::move(found->second);
            idle->erase(found);
            return;
        }
    }
    database_ = database_for(model);
}

LentDatabase::~LentDatabase() {
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    postgres::ConnectFailure failure;
    auto connection = postgres::Connection::open(database_.superuser_url, until, failure);
    if (!connection) must(Result<>(failure.error));
    must(connection->script(empty_sql, until));
    idle_databases().lock()->emplace(model_, std::move(database_));
}

postgres::testing::TestDatabase database_for(const Model& model, postgres::PrivateServer& server) {
    auto database = postgres::testing::fresh_database(server, model.app);
    must(apply_plan(model, order_for(database)));
    return database;
}

}  // namespace integreat::collections::testing
