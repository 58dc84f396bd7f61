// SPDX-License-Identifier: Apache-2.0
// The key "files" of a manifest: prefixes of the app's bucket that are open to more users than the owner of a
// file. S3 checks these rules itself, by the session tags of the caller's credentials.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/collections/collection_settings.h"
#include "config/validators/validators.h"
#include "json/binding/fields.h"
#include "policy/files/bucket_access.h"

namespace integreat::config {

inline constexpr std::size_t max_opened_files = 50;  // Per app; the size of the policy is checked, too.

struct OpenedFilesSettings {
    std::string prefix;
    std::vector<RuleSettings> read, write;
};

template <class Visitor>
void fields(Visitor& visit, OpenedFilesSettings& files) {
    visit("prefix", files.prefix,
          "Start of the keys: `announcements/`. `users/` and `records/` are reserved.",
          {.required = true,
           .max_length = max_file_prefix_length,
           .check = check_file_prefix,
           .pattern = file_prefix_pattern});
    visit("read", files.read,
          "Rules for getting and listing files. Only `roles` and `signed_in` are possible.",
          {.max_items = 10});
    visit("write", files.write,
          "Rules for creating and deleting files; no rule lets a file be replaced. Only `roles` and "
          "`signed_in` "
          "are possible.",
          {.max_items = 10});
}

// Returns the policy of the role of an app's users.
std::string make_files_policy(const std::string& firebase_project,
                              std::span<const OpenedFilesSettings> files);

std::vector<policy::OpenedPrefix> to_opened_prefixes(std::span<const OpenedFilesSettings> files);

}  // namespace integreat::config
