// SPDX-License-Identifier: Apache-2.0
// Any bytes as a policy document of each kind. Each mistake must say what to do, in two wordings; a document
// without mistakes must decide requests, and consistently: a Deny of everything added to it lets nobody in.
#include "base/text/utf8.h"
#include "policy/evaluation/explain.h"
#include "policy/evaluation/request_attributes.h"
#include "policy/evaluation/simulate.h"

using namespace integreat;
using namespace integreat::policy;

namespace {

void check_mistakes(const Reading& reading, const DocumentLimits& limits) {
    ASSERT(reading.mistakes.size() <= limits.mistakes_max);
    for (const auto& mistake : reading.mistakes) {
        ASSERT(!mistake.message.empty() && mistake.message.size() < 1'000);
        ASSERT(!mistake.aws.empty() && mistake.aws.size() <= 1'000);
        ASSERT(!invalid_utf8_at(mistake.message) && !invalid_utf8_at(mistake.aws));
        ASSERT(mistake.pointer.empty() || mistake.pointer[0] == '/');
    }
    if (!reading.good()) ASSERT(!first_for_aws(reading.mistakes).aws.empty());
}

const Attached& deny_everything(DocumentKind kind) {
    static const auto document = [](std::string_view more, DocumentKind of) {
        auto text = R"({"Statement": {"Effect": "Deny", "Action": "*")" + std::string(more) + "}}";
        return Attached{"deny", *parse_document(text, of)};
    };
    static const Attached identity = document(R"(, "Resource": "*")", DocumentKind::identity);
    static const Attached resource =
        document(R"(, "Resource": "*", "Principal": "*")", DocumentKind::resource);
    static const Attached trust = document(R"(, "Principal": "*")", DocumentKind::trust);
    return kind == DocumentKind::identity ? identity : kind == DocumentKind::resource ? resource : trust;
}

const std::vector<Request>& requests() {
    static const std::vector<Request> made = [] {
        std::vector<Request> all;
        for (const auto& caller :
             {Caller{}, root("111122223333"), user("arn:aws:iam::111122223333:user/ann", "AIDAANN"),
              role_session("arn:aws:iam::111122223333:role/r", "AROAR", "s"),
              web_identity("cognito-identity.amazonaws.com")}) {
            Facts facts{
                .now = from_unix_seconds(1'795'335'300), .secure_transport = true, .source_ip = "::1"};
            facts.web_identity = WebIdentity{"cognito-identity.amazonaws.com", "pool", "id", {"a", "b"}};
            facts.request_tags = {{"team", "röd"}, {"x", ""}};
            for (auto action : {"s3:GetObject", "sts:AssumeRoleWithWebIdentity"}) {
                all.push_back({.caller = caller,
                               .action = action,
                               .resource = "arn:aws:s3:::bucket/kéy/\xff*",
                               .resource_account = "111122223333",
                               .context = context_of(caller, facts)});
            }
        }
        return all;
    }();
    return made;
}

void check_decisions(const Attached& policy, DocumentKind kind) {
    std::vector<Attached> alone{policy}, denied{policy, deny_everything(kind)};
    for (const auto& request : requests()) {
        bool is_trust = kind == DocumentKind::trust;
        auto decide = [&](const Policies& policies) {
            auto decision = is_trust ? evaluate_trust(request, policies) : evaluate(request, policies);
            ASSERT(!explain(request, policies, decision).empty());
            ASSERT(decision.allowed || !access_denied_message(request, decision).empty());
            return decision;
        };
        bool is_identity = kind == DocumentKind::identity;
        decide(is_identity ? Policies{.identity = alone} : Policies{.resource = alone});
        auto refused = decide(is_identity ? Policies{.identity = denied} : Policies{.resource = denied});
        ASSERT(refused.reason == Reason::explicit_deny);
    }
    if (kind == DocumentKind::identity) context_keys({.identity = alone});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(bytes), size);
    const DocumentLimits limits;
    for (auto kind : {DocumentKind::identity, DocumentKind::resource, DocumentKind::trust}) {
        auto reading = read_document(text, kind, limits);
        check_mistakes(reading, limits);
        if (!reading.good()) continue;
        check_decisions({"fuzzed", std::make_shared<const Document>(std::move(reading.document))}, kind);
    }
    return 0;
}
