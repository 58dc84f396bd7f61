// SPDX-License-Identifier: Apache-2.0
// What tests of policies need everywhere: documents in JSON, attached to something.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/evaluation/evaluate.h"

namespace integreat::policy::testing {

// Stops the test program if the document has mistakes.
inline Attached attached(std::string name, std::string_view text, DocumentKind kind) {
    auto document = parse_document(text, kind);
    ASSERT(document);
    return {std::move(name), *document};
}

// A document of version 2012-10-17 around its statements.
inline std::string document(std::string_view statements) {
    return R"({"Version": "2012-10-17", "Statement": [)" + std::string(statements) + "]}";
}

// The policies of each layer, by their statements; an empty text is no policy.
struct Layers {
    std::string_view identity, resource, session, boundary;
    std::string_view trust;  // In place of `resource`.
};

struct Applied {
    std::vector<Attached> identity, resource, session, boundary;
    Policies policies() const { return {identity, resource, session, boundary}; }
};

inline Applied applied(const Layers& layers) {
    Applied made;
    auto attach = [](std::vector<Attached>& to, const char* name, std::string_view text, DocumentKind kind) {
        if (!text.empty()) to.push_back(attached(name, document(text), kind));
    };
    attach(made.identity, "Role", layers.identity, DocumentKind::identity);
    attach(made.resource, "Bucket", layers.resource, DocumentKind::resource);
    attach(made.resource, "Trust", layers.trust, DocumentKind::trust);
    attach(made.session, "Session", layers.session, DocumentKind::identity);
    attach(made.boundary, "Boundary", layers.boundary, DocumentKind::identity);
    return made;
}

}  // namespace integreat::policy::testing
