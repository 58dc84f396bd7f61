// SPDX-License-Identifier: Apache-2.0
// YAML 1.2 as configuration needs it: one document of maps, lists and scalars. What makes YAML dangerous or
// surprising is refused with its place: anchors and aliases (a small file can unfold into gigabytes), tags,
// merge keys, several documents, directives, duplicate keys, tabs as indentation, control characters.
#pragma once

#include <string_view>
#include <vector>

#include "json/document/node.h"

namespace integreat::json {

struct Yaml {
    Node root;
    bool complete = true;  // False if the text could not be read to its end: the root is a fragment.
    std::vector<Mistake> mistakes;
};

Yaml parse_yaml(std::string_view text);

}  // namespace integreat::json
