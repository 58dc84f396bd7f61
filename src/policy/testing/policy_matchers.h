// SPDX-License-Identifier: Apache-2.0
// Builders of policies for tests: documents in JSON, and policies with names. Callers and expected decisions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/evaluation/evaluate.h"

namespace integreat::policy::testing {

inline constexpr std::string_view account = "111122223333";  // Account of the callers below.

inline const Caller user_ann = user("arn:aws:iam::111122223333:user/staff/ann", "AIDAANNANNANNANNANNAN");
inline const Caller writer_session =
    role_session("arn:aws:iam::111122223333:role/app/writer", "AROAWRITERWRITERWRITE", "s1");

// Stops the test program if the document has errors.
inline AttachedPolicy make_policy(std::string name, std::string_view text, DocumentKind kind) {
    auto document = parse_document(text, kind);
    ASSERT(document);
    return {std::move(name), *document};
}

// Returns a document of version 2012-10-17 with the statements.
inline std::string document(std::string_view statements) {
    return R"({"Version": "2012-10-17", "Statement": [)" + std::string(statements) + "]}";
}

// The statements of each policy type; an empty text means no policy.
struct PolicyTexts {
    std::string_view identity, resource, session, boundary;
    std::string_view trust;  // Instead of `resource`.
};

struct AttachedPolicies {
    std::vector<AttachedPolicy> identity, resource, session, boundary;
    Policies policies() const { return {identity, resource, session, boundary}; }
};

inline AttachedPolicies attach_policies(const PolicyTexts& texts) {
    AttachedPolicies attached;
    auto attach = [](std::vector<AttachedPolicy>& to, const char* name, std::string_view text,
                     DocumentKind kind) {
        if (!text.empty()) to.push_back(make_policy(name, document(text), kind));
    };
    attach(attached.identity, "Role", texts.identity, DocumentKind::identity);
    attach(attached.resource, "Bucket", texts.resource, DocumentKind::resource);
    attach(attached.resource, "Trust", texts.trust, DocumentKind::trust);
    attach(attached.session, "Session", texts.session, DocumentKind::identity);
    attach(attached.boundary, "Boundary", texts.boundary, DocumentKind::identity);
    return attached;
}

// A row of a table of decisions.
struct ExpectedDecision {
    const char* about;
    Caller caller;
    PolicyTexts texts;
    Reason reason;
    std::vector<PolicyType> missing = {};
};

}  // namespace integreat::policy::testing
