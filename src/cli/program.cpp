// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <functional>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>

#include "cli/commands/db.h"
#include "cli/commands/dev.h"
#include "cli/commands/doctor.h"
#include "cli/commands/privacy.h"
#include "cli/commands/sdk.h"
#include "cli/commands/seed.h"
#include "cli/commands/serve.h"
#include "cli/commands/user.h"
#include "cli/completion.h"
#include "cli/runtime/admin_client.h"
#include "cli/runtime/config_loader.h"
#include "cli/runtime/configuration_commands.h"
#include "cli/runtime/local_cloud.h"
#include "cli/runtime/running_instance.h"

namespace integreat::cli {

namespace {

constexpr const char* version = "0.1.0";

// The tree is built first; the command that was chosen leaves here what is to be done.
struct Program {
    CLI::App tree{
        "Integreat: one platform for several multi-tenant applications.\n"
        "A gateway with identity, limits, logs and docs; a local cloud for development."};
    std::ostream& out;
    std::ostream& err;
    std::function<int()> chosen;
};

template <class Options>
using Shared = std::shared_ptr<Options>;

template <class Options>
Shared<Options> chooses(Program& program, CLI::App& command,
                        int (*run)(const Options&, std::ostream&, std::ostream&)) {
    auto options = std::make_shared<Options>();
    command.callback([&program, options, run] {
        program.chosen = [&program, options, run] { return run(*options, program.out, program.err); };
    });
    return options;
}

void add_configuration(CLI::App& command, ConfigurationOptions& options) {
    options.environment = process_environment();
    command.add_option("--config", options.folder, "Folder with integreat.yaml and the manifests (.)")
        ->check(CLI::ExistingDirectory);
}

void add_data(CLI::App& command, std::filesystem::path& data) {
    data = default_data_folder();
    command.add_option("--data", data, "Folder with the state of `integreat dev` (" + data.string() + ")");
}

void add_admin(CLI::App& command, AdminOptions& options) {
    options.environment = process_environment();
    add_data(command, options.data);
    command.add_option("--gateway", options.gateway,
                       "Ask this gateway (https://…) with the token in INTEGREAT_OPERATOR_TOKEN");
}

void add_running(Program& program) {
    auto* dev_command = program.tree.add_subcommand("dev", "Run everything on this machine, for development");
    auto options = chooses(program, *dev_command, dev);
    add_configuration(*dev_command, options->configuration);
    add_data(*dev_command, options->data);
    dev_command->add_option("--ready-file", options->ready_file,
                            "Write URLs, projects and users here when all answers");
    dev_command
        ->add_option_function<std::string>(
            "--ports", [options](const std::string& ports) { options->automatic_ports = ports == "auto"; },
            "default: 8080, 9099 and 4566; auto: free ones, see the ready file")
        ->check(CLI::IsMember({"default", "auto"}));
    dev_command->add_option("--log-level", options->log_level, "Of the process's own log")
        ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
    dev_command->add_option("--try-files", options->try_files,
                            "Folder with the script of the pages /try/APP (" + options->try_files.string() +
                                ", made by npm run build)");

    auto* serve_command = program.tree.add_subcommand(
        "serve", "Run the platform in production: databases from DATABASE_URL, tokens of Google's Firebase");
    auto serve_options = chooses(program, *serve_command, serve);
    add_configuration(*serve_command, serve_options->configuration);
}

void add_cloud(Program& program) {
    auto* command = program.tree.add_subcommand(
        "cloud",
        "Run the local cloud alone: Cognito Identity, STS, IAM, S3, SES and SSM that check everything");
    auto options = chooses(program, *command, run_cloud);
    add_data(*command, options->data);
    command->add_option("--port", options->port, "4566; 0 picks a free one");
    command->add_option("--ready-file", options->ready_file, "Write URL and resources here when all answers");
    command->add_option("--project", options->projects,
                        "Firebase project that gets a pool, a bucket and a role; may be given several times");
    command->add_option("--firebase-keys-url", options->firebase_keys_url,
                        "Keys of Firebase's login tokens (Google's)");
    command->add_option("--log-level", options->log_level, "Of the process's own log")
        ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
    command->add_flag("--without-enforcement", options->without_enforcement,
                      "Signatures and policies refuse nobody; a banner says so");
    command->add_flag("--manual", options->manual, "Print docs/local-cloud.md");

    auto* iam = program.tree.add_subcommand("iam", "Permissions in the local cloud");
    iam->require_subcommand(1);
    auto* explain =
        iam->add_subcommand("explain", "May a user or role do this, and which statement decides?");
    auto asked = chooses(program, *explain, iam_explain);
    add_data(*explain, asked->data);
    explain->add_option("--aws", asked->aws, "Of this local cloud (http://127.0.0.1:4566)");
    explain->add_option("PRINCIPAL", asked->principal, "ARN of a user, a role or the account's root")
        ->required();
    explain->add_option("ACTION", asked->action, "s3:GetObject")->required();
    explain->add_option("RESOURCE", asked->resource, "arn:aws:s3:::bucket/key")->required();
}

void add_configuring(Program& program) {
    auto* check_command =
        program.tree.add_subcommand("check", "Check settings and manifests; say every mistake");
    add_configuration(*check_command, *chooses(program, *check_command, check));

    auto* config = program.tree.add_subcommand("config", "The settings: in force, as schema, as manual");
    config->require_subcommand(1);
    auto* show = config->add_subcommand("show", "The settings in force, secrets masked");
    add_configuration(*show, *chooses(program, *show, config_show));
    auto* schema = config->add_subcommand("schema", "JSON Schema, for editors that complete and check YAML");
    auto which = std::make_shared<SchemaOf>(SchemaOf::settings);
    schema->add_flag_callback(
        "--settings", [which] { *which = SchemaOf::settings; }, "Of integreat.yaml (default)");
    schema->add_flag_callback(
        "--manifest", [which] { *which = SchemaOf::manifest; }, "Of apps/<app>.yaml");
    schema->callback([&program, which] {
        program.chosen = [&program, which] { return config_schema(*which, program.out); };
    });
    auto* docs = config->add_subcommand("docs", "The manual of the settings: docs/configuration.md");
    docs->callback([&program] { program.chosen = [&program] { return config_docs(program.out); }; });

    auto* routes_command =
        program.tree.add_subcommand("routes", "What the gateway serves, to whom, within which limits");
    auto options = chooses(program, *routes_command, routes);
    add_configuration(*routes_command, options->configuration);
    routes_command->add_option("--app", options->app, "Only the routes of this app");
    auto* json = routes_command->add_flag("--json", options->json, "For programs");
    routes_command
        ->add_flag("--manual", options->manual, "The routes that every Integreat has, explained: docs/api.md")
        ->excludes(json);

    auto* tenant = program.tree.add_subcommand("tenant", "Tenants: one application, one manifest");
    tenant->require_subcommand(1);
    auto* add = tenant->add_subcommand("add", "Write a manifest to start from: apps/NAME.yaml");
    auto tenant_options = chooses(program, *add, tenant_add);
    add_configuration(*add, tenant_options->configuration);
    add->add_option("NAME", tenant_options->name, "Of the app: lower-case letters, digits, dashes")
        ->required();
    add->add_option("--project", tenant_options->project, "Its Firebase project ID")->required();
}

void add_keys(Program& program) {
    auto* key = program.tree.add_subcommand("key", "API keys for servers");
    key->require_subcommand(1);
    auto* create = key->add_subcommand("create", "Make a key; it is shown once");
    auto created = chooses(program, *create, key_create);
    add_admin(*create, created->admin);
    create->add_option("--app", created->app, "Whose key it is")->required();
    create->add_option("--name", created->name, "What it is for")->required();
    create->add_option("--scope", created->scopes, "What it may do; may be given several times");
    create->add_option("--expires", created->expires, "2027-01-31T00:00:00Z, or from now: 90d");
    auto* list = key->add_subcommand("list", "The keys of an app, without their secrets");
    auto listed = chooses(program, *list, key_list);
    add_admin(*list, listed->admin);
    list->add_option("--app", listed->app, "Whose keys")->required();
    auto* revoke = key->add_subcommand("revoke", "End a key, everywhere within a second");
    auto revoked = chooses(program, *revoke, key_revoke);
    add_admin(*revoke, revoked->admin);
    revoke->add_option("--app", revoked->app, "Whose key it is")->required();
    revoke->add_option("ID", revoked->id, "As `integreat key list` shows it")->required();
}

void add_databases(Program& program) {
    auto* db = program.tree.add_subcommand("db", "The tables of the apps' collections");
    db->require_subcommand(1);
    auto add = [&](const char* name, const char* description,
                   int (*run)(const DbOptions&, std::ostream&, std::ostream&)) {
        auto* command = db->add_subcommand(name, description);
        auto options = chooses(program, *command, run);
        add_configuration(*command, options->configuration);
        add_data(*command, options->data);
        command->add_option("--app", options->app, "Only the tables of this app");
        return std::pair(command, options);
    };
    add("plan", "The SQL from the tables as they are to those of the manifests, and its dangers", db_plan);
    auto [apply, options] = add("apply", "Carry that out, all of an app or nothing", db_apply);
    auto* destructive =
        apply->add_flag("--allow-destructive", options->allow_destructive, "Even if data are lost by it");
    auto* note =
        apply->add_option("--backup-note", options->backup_note, "Where the backup is; kept for later");
    destructive->needs(note);
    note->needs(destructive);
}

void add_seeds(Program& program) {
    auto* command = program.tree.add_subcommand(
        "seed", "Fill an app with believable records: apps/seed/NAME.yaml, for development");
    auto options = chooses(program, *command, seed);
    add_configuration(*command, options->configuration);
    add_data(*command, options->data);
    command->add_option("--app", options->app, "Whose collections")->required();
    command->add_flag("--again", options->again, "Even if it has records: all of them give way");
}

void add_privacy(Program& program) {
    auto* privacy = program.tree.add_subcommand("privacy", "What an app keeps about one person");
    privacy->require_subcommand(1);
    auto add = [&](const char* name, const char* description,
                   int (*run)(const PrivacyOptions&, std::ostream&, std::ostream&)) {
        auto* command = privacy->add_subcommand(name, description);
        auto options = chooses(program, *command, run);
        add_configuration(*command, options->configuration);
        add_data(*command, options->data);
        command->add_option("--app", options->app, "Which app")->required();
        command->add_option("--subject", options->subject, "A uid or an address; may be given several times")
            ->required();
    };
    add("export", "All of it, as one JSON document", privacy_export);
    add("erase", "Empty personal fields, also in the record of changes; cannot be undone", privacy_erase);
}

void add_sdk(Program& program) {
    auto* sdk = program.tree.add_subcommand("sdk", "Clients of an app, made from its manifest");
    sdk->require_subcommand(1);
    auto* command = sdk->add_subcommand("ts", "A typed client in TypeScript, on top of sdk/js");
    auto options = chooses(program, *command, sdk_ts);
    add_configuration(*command, options->configuration);
    command->add_option("--app", options->app, "Whose collections")->required();
    command->add_option("--out", options->out, "The file to write; without it, standard output");
    command->add_option("--runtime", options->runtime, "The module of sdk/js (" + options->runtime + ")");
}

void add_users(Program& program) {
    auto* user = program.tree.add_subcommand("user", "Users of the local Firebase Auth");
    user->require_subcommand(1);
    struct Entry {
        const char* name;
        const char* description;
        int (*run)(const UserOptions&, std::ostream&, std::ostream&);
    };
    for (const auto& [name, description, run] :
         {Entry{"add", "Add a user with a password and a role", user_add},
          Entry{"claims", "Set the role and claims of a user", user_claims},
          Entry{"list", "The users, with the passwords of the ready-made ones", user_list}}) {
        auto* command = user->add_subcommand(name, description);
        auto options = chooses(program, *command, run);
        add_configuration(*command, options->configuration);
        add_data(*command, options->data);
        bool lists = run == user_list;
        command->add_option("--app", options->app, "Whose user")->required(!lists);
        if (lists) continue;
        command->add_option("--email", options->email, "Address to sign in with")->required();
        command->add_option("--role", options->role, "The custom claim `role`: one of the app's roles");
        command->add_option("--claims", options->claims, "More custom claims, as a JSON object");
        if (run == user_add)
            command->add_option("--password", options->password, "Made and printed if not given");
    }
}

void add_explaining(Program& program) {
    auto* why_command = program.tree.add_subcommand("why", "Explain what was decided about a request");
    auto options = std::make_shared<AdminOptions>();
    auto request_id = std::make_shared<std::string>();
    add_admin(*why_command, *options);
    why_command->add_option("REQUEST_ID", *request_id, "From the answer's Integreat-Request-Id")->required();
    why_command->callback([&program, options, request_id] {
        program.chosen = [&program, options, request_id] {
            return why(*options, *request_id, program.out, program.err);
        };
    });

    auto* doctor_command =
        program.tree.add_subcommand("doctor", "What is wrong with this machine or configuration");
    auto doctor_options = chooses(program, *doctor_command, doctor);
    add_configuration(*doctor_command, doctor_options->configuration);
    add_data(*doctor_command, doctor_options->data);

    auto* completion = program.tree.add_subcommand(
        "completion", "Completion for your shell: source <(integreat completion bash)");
    auto shell = std::make_shared<std::string>();
    completion->add_option("SHELL", *shell, "bash, zsh or fish")->required();
    completion->callback([&program, shell] {
        program.chosen = [&program, shell] {
            auto script = completion_script(program.tree, *shell);
            if (script) program.out << *script;
            if (!script) program.err << "integreat completion: " << script.error().message << "\n";
            return script ? exit_done : exit_usage;
        };
    });
}

}  // namespace

int run_program(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
    Program program{.out = out, .err = err, .chosen = {}};
    auto& tree = program.tree;
    tree.name("integreat");
    tree.set_version_flag("--version", std::string("integreat ") + version);
    tree.require_subcommand(1);
    tree.footer(
        "Start here:\n"
        "  integreat dev                      everything on this machine\n"
        "  integreat check                    is my configuration right?\n"
        "  integreat why req_01J…             why was this request refused?\n"
        "\nExit codes: 0 done, 1 something is wrong and was said, 2 the command line was wrong.");
    add_running(program);
    add_cloud(program);
    add_configuring(program);
    add_databases(program);
    add_seeds(program);
    add_privacy(program);
    add_sdk(program);
    add_keys(program);
    add_users(program);
    add_explaining(program);
    try {
        tree.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return tree.exit(error, out, err) == 0 ? exit_done : exit_usage;
    }
    return program.chosen();
}

}  // namespace integreat::cli
