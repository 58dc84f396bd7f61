// SPDX-License-Identifier: Apache-2.0
// YAML 1.2 for configuration: one document of maps, lists and scalars. Dangerous or surprising features are
// rejected with their location: anchors and aliases (a small file can expand to gigabytes), tags, merge keys,
// several documents, directives, duplicate keys, tabs as indentation, control characters.
#pragma once

#include <string_view>
#include <vector>

#include "json/document/node.h"

namespace integreat::json {

struct YamlDocument {
    Node root;
    bool complete = true;  // False if parsing stopped before the end: the root is a fragment.
    std::vector<ValidationError> errors;
};

YamlDocument parse_yaml(std::string_view text);

}  // namespace integreat::json
