// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/seed.h"

#include <ostream>

#include <fmt/format.h>

#include "base/text/closest_match.h"
#include "cli/runtime/config_loader.h"
#include "cli/runtime/databases.h"
#include "cloud/firebase/tokens/auth.h"
#include "services/collections/seed/seed.h"

namespace integreat::cli {

namespace {

constexpr std::chrono::minutes sowing_max{5};

using People = std::map<std::string, std::string, std::less<>>;

Result<const config::Manifest*> app_called(const config::Configuration& configuration,
                                           const std::string& name) {
    std::vector<std::string> names;
    for (const auto& manifest : configuration.manifests) {
        if (manifest.app.text == name && !manifest.collections.empty()) return &manifest;
        if (!manifest.collections.empty()) names.push_back(manifest.app.text);
    }
    return Error{Fault::invalid,
                 fmt::format("no app \"{}\" has collections{}", name, did_you_mean(name, names)), ""};
}

// The uid of each role's ready-made user.
Result<People> people_of(const config::Manifest& manifest, const std::filesystem::path& data) {
    SystemClock clock;
    crypto::SystemRandom random;
    auto auth = TRY(firebase::open((data / "firebase").string(), clock, random));
    auto project = TRY(firebase::add_project(*auth, manifest.app, {manifest.firebase_project}));
    std::map<std::string, std::string> role_by_email;
    for (const auto& user : TRY(firebase::ready_made_users(*auth, project, manifest.roles)))
        role_by_email[user.email] = user.role;
    People people;
    std::string after;
    while (people.size() < role_by_email.size()) {
        auto users = TRY(firebase::list_users(*auth, project.id, after));
        if (users.empty()) break;
        after = users.back().uid;
        for (const auto& user : users) {
            auto known = role_by_email.find(user.email.value_or(""));
            if (known != role_by_email.end()) people[known->second] = user.uid;
        }
    }
    return people;
}

// What the seed's files say; nothing after their mistakes have been printed.
std::optional<collections::Seed> read_files(const SeedOptions& options, const collections::Model& model,
                                            std::ostream& err) {
    auto folder = place_of_configuration(options.configuration.folder).apps_folder / "seed";
    std::vector<config::Mistake> mistakes;
    auto file = read_source(folder / (options.app + ".yaml"), mistakes);
    auto words = read_source(folder / "words.yaml", mistakes);
    collections::SeedReading reading;
    if (file && words) {
        reading = collections::read_seed(*file, *words, model);
        mistakes.insert(mistakes.end(), reading.mistakes.begin(), reading.mistakes.end());
    }
    for (const auto& mistake : mistakes)
        err << to_string(mistake) << "\n";
    return mistakes.empty() ? std::optional(std::move(reading.seed)) : std::nullopt;
}

// In development the tables follow the manifest by themselves; elsewhere somebody decides that.
Result<> follow_manifest(const collections::Model& model, const collections::SchemaOrder& order,
                         bool development) {
    auto plan = TRY(collections::plan_tables(model, order));
    if (plan.steps.empty()) return {};
    if (development) {
        TRY(collections::apply_plan(model, order));
        return {};
    }
    return Error{
        Fault::conflict,
        fmt::format("the tables are not those of the manifest: run integreat db apply --app {} first",
                    model.app.text),
        ""};
}

void print(std::ostream& out, const config::Manifest& manifest, const std::vector<collections::Grown>& beds,
           const People& people) {
    std::map<std::string_view, std::size_t> counts;
    std::size_t sum = 0;
    for (const auto& bed : beds) {
        counts[bed.collection->name] += bed.records.size();
        sum += bed.records.size();
    }
    out << fmt::format("{}: {} records\n", manifest.title, sum);
    for (const auto& [name, count] : counts)
        out << fmt::format("  {:<20} {}\n", name, count);
    if (!people.empty())
        out << fmt::format("Sign in as one of `integreat user list --app {}` to see your own.\n",
                           manifest.app.text);
}

Result<int> run(const SeedOptions& options, const config::Configuration& configuration, std::ostream& out,
                std::ostream& err) {
    const auto* manifest = TRY(app_called(configuration, options.app));
    auto model = collections::compile_model(*manifest);
    auto seed = read_files(options, *model, err);
    if (!seed) return 1;
    bool development = configuration.settings.database.url.empty();
    if (options.again && !development)
        return Error{Fault::invalid, "--again deletes all records, and does so in the databases of dev only",
                     ""};
    auto access =
        TRY(OwnerAccess::open(configuration, options.configuration.environment, options.data, manifest->app));
    TRY(follow_manifest(*model, access->order(), development));
    collections::Soil soil{.now = access->clock().now()};
    if (development) soil.people = TRY(people_of(*manifest, options.data));
    auto beds = TRY(collections::grow(*seed, *model, soil));
    auto sowing = options.again ? collections::Sowing::anew : collections::Sowing::empty_only;
    TRY(collections::sow(access->pool(), *model, beds, sowing, access->clock().monotonic() + sowing_max));
    print(out, *manifest, beds, soil.people);
    return 0;
}

}  // namespace

int seed(const SeedOptions& options, std::ostream& out, std::ostream& err) {
    auto configuration = good_configuration(options.configuration, err);
    if (!configuration) return 1;
    auto ended = run(options, *configuration, out, err);
    if (ended) return *ended;
    err << "integreat seed: " << ended.error().message << "\n";
    if (!ended.error().cause.empty()) err << "  " << ended.error().cause << "\n";
    return 1;
}

}  // namespace integreat::cli
