// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iterator>
#include <sstream>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cli/administration/explain.h"
#include "cli/configuration/config.h"
#include "cli/configuration/routes.h"
#include "cli/configuration/tenant.h"
#include "cli/runtime/config_loader.h"
#include "config/manifest/routes.h"
#include "json/binding/yaml_writer.h"
#include "json/document/node.h"

namespace integreat::cli {

namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const fs::path source_folder = INTEGREAT_SOURCE_DIR;

std::string contents(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

class CommandTest : public testing::Test {
protected:
    CommandTest() {
        std::string pattern = fs::temp_directory_path() / "integreat-config-XXXXXX";
        folder = ::mkdtemp(pattern.data());
        fs::create_directory(folder / "apps");
    }
    ~CommandTest() override { fs::remove_all(folder); }

    void write(const fs::path& file, std::string_view text) { std::ofstream(folder / file) << text; }

    ConfigurationOptions options() {
        return {folder, [](std::string_view) { return std::nullopt; }};
    }

    // Returns the errors of `check`, without the folder's name.
    std::vector<std::string> diagnostics() {
        auto checked = config::load_configuration(read_configuration(folder), options().environment);
        std::vector<std::string> lines;
        for (const auto& diagnostic : checked.errors)
            lines.push_back(to_string(diagnostic).substr(folder.string().size() + 1));
        return lines;
    }

    fs::path folder;
    std::ostringstream out, err;
};

constexpr std::string_view campus = "integreat: 1\napp: campus\ntitle: Campus\nproject: campus-project\n";

}  // namespace

TEST_F(CommandTest, CheckSummarizesAValidConfiguration) {
    write("apps/campus.yaml", campus);
    write(
        "apps/teleo.yaml",
        "integreat: 1\napp: teleo\ntitle: Teleo\nproject: teleo-project\nroles: [pastor]\nupstreams: {u: "
        "{url: "
        "\"http://h\"}}\n"
        "routes: [{path: /a, methods: [GET, POST], upstream: u}]\n"
        "collections:\n  members:\n    title: Member\n    fields:\n      name: {type: text, required: true}\n"
        "    access: {read: [{signed_in: true}], create: [{roles: [pastor]}], update: [{roles: "
        "[pastor]}]}\n");

    EXPECT_EQ(check(options(), out, err), 0);

    EXPECT_EQ(out.str(),
              "campus  2 routes, 0 collections, 0 upstreams, 0 roles, Firebase project campus-project\n"
              "teleo   13 routes, 1 collection, 1 upstream, 1 role, Firebase project teleo-project\n"
              "The configuration is valid: 2 apps, 1 collection, 15 routes.\n");
    std::ostringstream listed;
    EXPECT_EQ(routes({.configuration = options(), .json = true}, listed, err), 0);
    auto list = listed.str();
    EXPECT_EQ(std::count(list.begin(), list.end(), '\n'), 15 + 2)
        << "the number of routes listed by `integreat routes`";
    EXPECT_EQ(err.str(), "");
}

TEST_F(CommandTest, CheckWarnsAboutAManifestWithoutAFormatVersion) {
    write("apps/campus.yaml", "app: campus\ntitle: Campus\nproject: campus-project\n");
    EXPECT_EQ(check(options(), out, err), 0);
    EXPECT_THAT(err.str(), HasSubstr("warning: "));
    EXPECT_THAT(err.str(), HasSubstr("campus.yaml:1:1 the manifest has no format version"));
}

TEST_F(CommandTest, CheckReportsEveryErrorOfEveryFileInOrder) {
    write("integreat.yaml", "http: {max_body_bytes: 64KiB}\nidentity: {operators_project: the-operators}\n");
    write("apps/a.yaml", "integreat: 1\napp: a\ntitle: A\nproject: campus-project\nroles: [x, X]\n");
    write("apps/campus.yaml",
          "integreat: 1\napp: campus\ntitle: Campus\nproject: campus-project\nupstreams: {u: {url: "
          "\"http://h\"}}\n"
          "routes: [{path: /a, upstream: u, max_body_bytes: 1MiB}, {path: /b, upstream: u}]\n");
    write("apps/z.yaml", "integreat: 1\napp: z\ntitle: Z\nproject: the-operators\n");

    EXPECT_EQ(check(options(), out, err), 1);

    EXPECT_EQ(out.str(), "");
    EXPECT_THAT(err.str(), HasSubstr("a.yaml:5:12 roles must consist of"));
    EXPECT_THAT(err.str(), HasSubstr("campus.yaml:4:10 project \"campus-project\" is used by "));
    EXPECT_THAT(err.str(), HasSubstr("campus.yaml:6:50 max_body_bytes exceeds the platform's limit: 64KiB"));
    EXPECT_THAT(err.str(), HasSubstr("z.yaml:4:10 project \"the-operators\" is the operators' project"));
    EXPECT_TRUE(err.str().ends_with("4 errors in 3 files.\n")) << err.str();
}

TEST_F(CommandTest, CheckReportsUnreadableFiles) {
    fs::create_directory(folder / "apps/folder.yaml");
    fs::create_symlink("nowhere", folder / "apps/dangling.yaml");
    ASSERT_EQ(::mkfifo((folder / "apps/pipe.yaml").c_str(), 0600), 0);
    write("apps/old.yml", campus);
    write("apps/huge.yaml", std::string(2 * json::document_bytes_max, '#'));
    write("apps/empty.yaml", "");
    write("apps/.hidden.yaml", "x");
    write("apps/README.md", "x");

    EXPECT_THAT(diagnostics(),
                ElementsAre("apps/dangling.yaml: is a link to a missing file",
                            "apps/empty.yaml:1:1 the file is empty",
                            "apps/folder.yaml: is a folder, but must be a file",
                            "apps/huge.yaml:1:1 the file is larger than 1048576 bytes",
                            "apps/old.yml: is ignored: the name of a manifest must end in .yaml",
                            "apps/pipe.yaml: is not a regular file"));
}

TEST_F(CommandTest, CheckReportsAMissingFolder) {
    fs::remove(folder / "apps");
    EXPECT_THAT(diagnostics(), ElementsAre("apps: the folder of manifests does not exist: create it, or run "
                                           "`integreat tenant add NAME --project ID`"));
    write("apps", "x");
    EXPECT_THAT(diagnostics(), ElementsAre("apps: is not a folder, but must be the folder of manifests"));
    fs::create_directory(folder / "integreat.yaml");
    fs::remove(folder / "apps");
    fs::create_directory(folder / "apps");
    EXPECT_THAT(diagnostics(), ElementsAre("integreat.yaml: is a folder, but must be a file"));
}

TEST_F(CommandTest, ShowPrintsTheSettingsInForceWithoutSecrets) {
    write("integreat.yaml", "listen: {port: 9000}\ndatabase: {url: env:DATABASE_URL}\n");
    auto with_secret = options();
    with_secret.environment = [](std::string_view) { return "postgresql://u:hunter2@h/d"; };

    EXPECT_EQ(config_show(with_secret, out, err), 0) << err.str();

    EXPECT_THAT(out.str(), HasSubstr("  port: 9000\n"));
    EXPECT_THAT(out.str(), HasSubstr("  url: \"(set)\"\n"));
    EXPECT_THAT(out.str(), HasSubstr("  max_header_bytes: 16KiB\n"));
    EXPECT_EQ(out.str().find("hunter2"), std::string::npos);
}

TEST_F(CommandTest, ShowPrintsValidSettings) {
    write("integreat.yaml", "listen: {trusted_proxies: [10.0.0.0/8]}\n");
    ASSERT_EQ(config_show(options(), out, err), 0);
    auto again = config::load_settings(out.str(), "shown", nullptr);
    EXPECT_TRUE(again.is_valid()) << to_string(again.errors.front());
    EXPECT_EQ(json::to_yaml(json::describe(again.value)), out.str());
}

TEST_F(CommandTest, RoutesPrintsAnAlignedTable) {
    write("apps/teleo.yaml",
          "integreat: 1\napp: teleo\ntitle: Teleo\nproject: teleo-project\nroles: [member, pastor]\n"
          "limit: {requests: 60, window: 1m, burst: 5}\nupstreams: {u: {url: \"https://[::1]:8443/base\"}}\n"
          "routes:\n- {path: /a, methods: [GET, POST], upstream: u, roles: [pastor, member], scope: a:read}\n"
          "- {path: \"/b/{rest...}\", upstream: u, target: \"/c/{rest...}\", public: true}\n");

    EXPECT_EQ(routes({.configuration = options()}, out, err), 0);

    EXPECT_EQ(out.str(),
              "METHOD  PATH                         ACCESS                              "
              "RATE LIMIT          SERVED BY\n"
              "GET     /v1/apps/teleo/me            signed in                           "
              "60 per 1m, burst 5  the platform\n"
              "GET     /v1/apps/teleo/openapi.json  anyone                              "
              "60 per 1m, burst 5  the platform\n"
              "GET     /v1/apps/teleo/a             pastor, member, or key with a:read  "
              "60 per 1m, burst 5  u https://[::1]:8443/base/a\n"
              "POST    /v1/apps/teleo/a             pastor, member, or key with a:read  "
              "60 per 1m, burst 5  u https://[::1]:8443/base/a\n"
              "GET     /v1/apps/teleo/b/{rest...}   anyone                              "
              "60 per 1m, burst 5  u https://[::1]:8443/base/c/{rest...}\n");
}

TEST_F(CommandTest, RoutesOfOneAppAsJson) {
    write("apps/campus.yaml", campus);
    write("apps/teleo.yaml", "integreat: 1\napp: teleo\ntitle: Teleo\nproject: teleo-project\n");

    EXPECT_EQ(routes({.configuration = options(), .app = "campus", .json = true}, out, err), 0);
    auto listed = boost::json::parse(out.str()).as_array();
    ASSERT_EQ(listed.size(), 2u);
    EXPECT_EQ(listed[0].at("name"), "campus.me");
    EXPECT_EQ(listed[0].at("path"), "/v1/apps/campus/me");
    EXPECT_TRUE(listed[0].at("upstream").is_null());

    EXPECT_EQ(routes({.configuration = options(), .app = "camps"}, out, err), 1);
    EXPECT_EQ(err.str(), "unknown app \"camps\", did you mean \"campus\"?\n");
}

TEST_F(CommandTest, IamPolicyPrintsWhatTheManifestOpens) {
    write("apps/campus.yaml",
          std::string(campus) + "files: [{prefix: notices/, read: [{signed_in: true}]}]\n");
    EXPECT_EQ(iam_policy({.configuration = options(), .app = "campus"}, out, err), 0) << err.str();
    auto statements = boost::json::parse(out.str()).at("Statement").as_array();
    EXPECT_EQ(statements.front().at("Resource"),
              "arn:aws:s3:::campus-project-tenant-bucket/users/${aws:PrincipalTag/uid}/*");
    EXPECT_THAT(out.str(), HasSubstr("arn:aws:s3:::campus-project-tenant-bucket/notices/*"));
    EXPECT_EQ(iam_policy({.configuration = options(), .app = "camps"}, out, err), 1);
    EXPECT_EQ(err.str(), "unknown app \"camps\", did you mean \"campus\"?\n");
}

TEST_F(CommandTest, TenantAddWritesAManifestThatPassesTheCheck) {
    fs::remove(folder / "apps");
    TenantAddOptions tenant{options(), "food-bank", "food-bank-project"};

    EXPECT_EQ(tenant_add(tenant, out, err), 0) << err.str();

    EXPECT_EQ(out.str(), "Wrote " + (folder / "apps/food-bank.yaml").string() +
                             ". Edit it, and run `integreat check`.\n");
    EXPECT_EQ(check(options(), out, err), 0) << err.str();
    EXPECT_THAT(
        out.str(),
        HasSubstr(
            "food-bank  7 routes, 0 collections, 1 upstream, 2 roles, Firebase project food-bank-project\n"));
    EXPECT_THAT(contents(folder / "apps/food-bank.yaml"), HasSubstr("title: Food bank\n"));
    EXPECT_THAT(contents(folder / "apps/food-bank.yaml"), HasSubstr("env:FOOD_BANK_BACKEND_URL:http"));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder / "apps"), {}), 1);  // No temporary file is left.
}

TEST_F(CommandTest, TenantAddReportsErrors) {
    write("apps/campus.yaml", campus);
    auto sentence = [&](std::string name, std::string project) {
        std::ostringstream captured;
        EXPECT_EQ(tenant_add({options(), std::move(name), std::move(project)}, out, captured), 1);
        return captured.str();
    };
    EXPECT_EQ(sentence("campus", "other-project"),
              "the app campus already exists: " + (folder / "apps/campus.yaml").string() + "\n");
    EXPECT_EQ(sentence("other", "campus-project"), "project \"campus-project\" is used by " +
                                                       (folder / "apps/campus.yaml").string() +
                                                       ": users of one app would be users of both\n");
    EXPECT_THAT(sentence("../x", "other-project"),
                HasSubstr("NAME must consist of at most 40 lower-case letters"));
    EXPECT_THAT(sentence("other", "x"), HasSubstr("--project must be a Firebase project ID"));
    EXPECT_THAT(sentence("integreat-core", "other-project"), HasSubstr("the platform uses the name"));
    EXPECT_THAT(sentence("other", "integreat-core"), HasSubstr("is the operators' project"));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder / "apps"), {}), 1);
}

TEST_F(CommandTest, SchemasForbidUnknownKeys) {
    for (auto kind : {SchemaKind::settings, SchemaKind::manifest}) {
        std::ostringstream schema;
        EXPECT_EQ(config_schema(kind, schema), 0);
        auto parsed = boost::json::parse(schema.str());
        EXPECT_EQ(parsed.at("additionalProperties"), false);
        EXPECT_FALSE(parsed.at("properties").as_object().empty());
    }
}

TEST_F(CommandTest, TheCommittedConfigurationIsValid) {
    EXPECT_EQ(check({source_folder, options().environment}, out, err), 0) << err.str();
    EXPECT_THAT(out.str(), HasSubstr("The configuration is valid: 4 apps, "));
}

TEST_F(CommandTest, TheCommittedManualIsUpToDate) {
    ASSERT_EQ(config_docs(out), 0);
    EXPECT_TRUE(out.str() == contents(source_folder / "docs/reference/configuration.md"))
        << "run: integreat config docs > docs/reference/configuration.md";
}

TEST_F(CommandTest, TheCommittedManualOfTheRoutesIsUpToDate) {
    ASSERT_EQ(routes({.configuration = options(), .manual = true}, out, err), 0);
    EXPECT_TRUE(out.str() == contents(source_folder / "docs/reference/api.md"))
        << "run: integreat routes --manual > docs/reference/api.md";
}

namespace {

void expect_keys_in(const json::Field& field, const std::string& page) {
    bool named = page.find(field.name.empty() ? "" : "`" + field.name + "`") != page.npos;
    EXPECT_TRUE(named) << field.name;
    for (const auto& member : field.members)
        expect_keys_in(member, page);
    for (const auto& element : field.element)
        expect_keys_in(element, page);
}

// Returns the lines between ```yaml and ``` of a page.
std::string example_in(const std::string& page) {
    std::size_t start = page.find("```yaml\n") + 8;
    return page.substr(start, page.find("```", start) - start);
}

}  // namespace

TEST_F(CommandTest, TheManifestPageNamesEveryKeyAndItsExampleIsValid) {
    std::string page = contents(source_folder / "docs/reference/manifests.md");
    config::Manifest manifest;
    std::string all = page;
    for (const char* name : {"collections", "access-rules", "life-cycles", "expressions"})
        all += contents(source_folder / "docs/describe-an-app" / (std::string(name) + ".md"));
    expect_keys_in(json::describe(manifest), all);

    auto example = config::load_manifest(example_in(page), "apps/campus.yaml", options().environment);
    EXPECT_TRUE(example.is_valid()) << to_string(example.errors.front());
    EXPECT_GE(config::make_routes(example.value, {}).size(), 4u);
}

}  // namespace integreat::cli
