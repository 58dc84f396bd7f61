// SPDX-License-Identifier: Apache-2.0
// Parses any bytes as a policy document of each kind. Each error must have a fix and an AWS message; a
// document without errors must evaluate requests consistently: with a Deny of everything added, no request is
// allowed.
#include "base/text/utf8.h"
#include "policy/evaluation/explain.h"
#include "policy/evaluation/request_attributes.h"
#include "policy/evaluation/simulate.h"

using namespace integreat;
using namespace integreat::policy;

namespace {

void check_errors(const ParseResult& result, const DocumentLimits& limits) {
    ASSERT(result.errors.size() <= limits.errors_max);
    for (const auto& error : result.errors) {
        ASSERT(!error.message.empty() && error.message.size() < 1'000);
        ASSERT(!error.aws_message.empty() && error.aws_message.size() <= 1'000);
        ASSERT(!find_invalid_utf8(error.message) && !find_invalid_utf8(error.aws_message));
        ASSERT(error.pointer.empty() || error.pointer[0] == '/');
    }
    if (!result.good()) ASSERT(!first_aws_error(result.errors).aws_message.empty());
}

const AttachedPolicy& deny_everything(DocumentKind kind) {
    static const auto document = [](std::string_view more, DocumentKind of) {
        auto text = R"({"Statement": {"Effect": "Deny", "Action": "*")" + std::string(more) + "}}";
        return AttachedPolicy{"deny", *parse_document(text, of)};
    };
    static const AttachedPolicy identity = document(R"(, "Resource": "*")", DocumentKind::identity);
    static const AttachedPolicy resource =
        document(R"(, "Resource": "*", "Principal": "*")", DocumentKind::resource);
    static const AttachedPolicy trust = document(R"(, "Principal": "*")", DocumentKind::trust);
    return kind == DocumentKind::identity ? identity : kind == DocumentKind::resource ? resource : trust;
}

const std::vector<Request>& requests() {
    static const std::vector<Request> made = [] {
        std::vector<Request> all;
        for (const auto& caller :
             {Caller{}, root("111122223333"), user("arn:aws:iam::111122223333:user/ann", "AIDAANN"),
              role_session("arn:aws:iam::111122223333:role/r", "AROAR", "s"),
              web_identity("cognito-identity.amazonaws.com")}) {
            RequestAttributes attributes{
                .now = from_unix_seconds(1'795'335'300), .secure_transport = true, .source_ip = "::1"};
            attributes.web_identity = WebIdentity{"cognito-identity.amazonaws.com", "pool", "id", {"a", "b"}};
            attributes.request_tags = {{"team", "röd"}, {"x", ""}};
            for (auto action : {"s3:GetObject", "sts:AssumeRoleWithWebIdentity"}) {
                all.push_back({.caller = caller,
                               .action = action,
                               .resource = "arn:aws:s3:::bucket/kéy/\xff*",
                               .resource_account = "111122223333",
                               .context = make_context(caller, attributes)});
            }
        }
        return all;
    }();
    return made;
}

void check_decisions(const AttachedPolicy& policy, DocumentKind kind) {
    std::vector<AttachedPolicy> alone{policy}, denied{policy, deny_everything(kind)};
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
        auto denied_decision =
            decide(is_identity ? Policies{.identity = denied} : Policies{.resource = denied});
        ASSERT(denied_decision.reason == Reason::explicit_deny);
    }
    if (kind == DocumentKind::identity) context_keys({.identity = alone});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(bytes), size);
    const DocumentLimits limits;
    for (auto kind : {DocumentKind::identity, DocumentKind::resource, DocumentKind::trust}) {
        auto result = validate_document(text, kind, limits);
        check_errors(result, limits);
        if (!result.good()) continue;
        check_decisions({"fuzzed", std::make_shared<const Document>(std::move(result.document))}, kind);
    }
    return 0;
}
