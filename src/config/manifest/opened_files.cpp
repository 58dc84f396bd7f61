// SPDX-License-Identifier: Apache-2.0
#include "config/manifest/opened_files.h"

#include <algorithm>

namespace integreat::config {

namespace {

policy::Grantees to_grantees(std::span<const RuleSettings> rules) {
    policy::Grantees grantees;
    for (const auto& rule : rules) {
        grantees.signed_in = grantees.signed_in || rule.signed_in;
        for (const auto& role : rule.roles) {
            if (std::ranges::find(grantees.roles, role) == grantees.roles.end())
                grantees.roles.push_back(role);
        }
    }
    return grantees;
}

}  // namespace

std::vector<policy::OpenedPrefix> to_opened_prefixes(std::span<const OpenedFilesSettings> files) {
    std::vector<policy::OpenedPrefix> opened;
    for (const auto& entry : files) {
        opened.push_back(
            {.prefix = entry.prefix, .read = to_grantees(entry.read), .write = to_grantees(entry.write)});
    }
    return opened;
}

std::string make_files_policy(const std::string& firebase_project,
                              std::span<const OpenedFilesSettings> files) {
    return policy::make_bucket_access_policy(firebase_project + "-tenant-bucket", to_opened_prefixes(files));
}

}  // namespace integreat::config
