// SPDX-License-Identifier: Apache-2.0
#include "cloud/sts/sts.h"

#include <algorithm>

#include <boost/json/array.hpp>

#include "cloud/aws/protocol/protocol.h"
#include "cloud/iam/query_parameters.h"
#include "policy/document/arn.h"
#include "policy/document/document.h"

namespace integreat::sts {

using cloud::Answer;
using cloud::AwsError;
using cloud::element;
using cloud::Exchange;
using cloud::Outcome;
using cloud::query_result;
using cloud::Signing;
using iam::optional;
using iam::optional_number;
using iam::required;

namespace {

constexpr iam::TextRule arn_text{.length_min = 20, .length_max = 2'048, .is_name = false};
constexpr iam::TextRule session_name{.length_min = 2, .length_max = 64};
constexpr iam::TextRule token_text{.length_min = 4, .length_max = 20'000, .is_name = false};
constexpr std::string_view cognito = "cognito-identity.amazonaws.com";
constexpr std::size_t tags_max = 50;

AwsError denied(std::string message) {
    return {.status = 403, .code = "AccessDenied", .message = std::move(message)};
}

std::string credentials_xml(const iam::TemporaryCredentials& credentials) {
    return "<Credentials>" + element("AccessKeyId", credentials.access_key_id) +
           element("SecretAccessKey", credentials.secret_access_key) +
           element("SessionToken", credentials.session_token) +
           element("Expiration", format_rfc3339(credentials.expires)) + "</Credentials>";
}

std::string assumed_xml(const iam::TemporaryCredentials& credentials) {
    return "<AssumedRoleUser>" + element("AssumedRoleId", credentials.id) + element("Arn", credentials.arn) +
           "</AssumedRoleUser>";
}

std::shared_ptr<const iam::Role> role_of_arn(const iam::Iam& iam, std::string_view arn) {
    auto parts = policy::split_arn(arn);
    if (!parts || parts->service != "iam" || !parts->resource.starts_with("role/")) return nullptr;
    auto role = iam::find(iam.directory()->roles, policy::last_step(parts->resource));
    return role && role->identity.arn == arn ? role : nullptr;
}

cloud::Wanted wanted_of(const iam::Role& role, std::string action) {
    return {.action = std::move(action),
            .resource = role.identity.arn,
            .resource_policies = {{"trust policy of " + role.identity.name, role.trust.document}},
            .resource_account = {},
            .request_tags = {},
            .resource_tags = role.identity.tags,
            .keys = {}};
}

// Policies that narrow the session, checked now and evaluated at each use.
Outcome<> read_session_policies(const Exchange& exchange, const iam::Iam& iam, iam::SessionGrant& grant) {
    if (auto text = exchange.parameter("Policy"); text && !text->empty()) {
        auto reading = policy::read_document(*text, policy::DocumentKind::identity,
                                             {.bytes_max = policy::session_policy_bytes_max});
        if (!reading.good()) {
            const auto& mistake = policy::first_for_aws(reading.mistakes);
            bool long_one = mistake.complaint == policy::Complaint::too_long;
            return AwsError{.status = 400,
                            .code = long_one ? "PackedPolicyTooLarge" : "MalformedPolicyDocument",
                            .message = mistake.aws};
        }
        grant.session_policies.emplace_back(*text);
    }
    for (int i = 1;; ++i) {
        auto arn = exchange.parameter("PolicyArns.member." + std::to_string(i) + ".arn");
        if (!arn) return {};
        if (!iam::find(iam.directory()->policies, *arn) || i > 10) {
            return iam::invalid("Session policy ARN is not valid, or there are more than ten: " +
                                std::string(*arn));
        }
        grant.session_policy_arns.emplace_back(*arn);
    }
}

Outcome<std::map<std::string, std::string>> read_tags(const Exchange& exchange) {
    std::map<std::string, std::string> tags;
    for (int i = 1;; ++i) {
        auto prefix = "Tags.member." + std::to_string(i);
        auto name = exchange.parameter(prefix + ".Key");
        if (!name) return tags;
        auto value = exchange.parameter(prefix + ".Value").value_or("");
        bool fits = !name->empty() && name->size() <= 128 && value.size() <= 256 && tags.size() < tags_max;
        if (!fits)
            return iam::invalid("Tags: at most 50, of keys up to 128 and values up to 256 characters.");
        if (!tags.emplace(*name, value).second) {
            return AwsError{
                .status = 400,
                .code = "InvalidParameterValue",
                .message = "Duplicate tag keys found. Please note that Tag keys are case insensitive."};
        }
    }
}

Outcome<std::int64_t> session_seconds(const Exchange& exchange, const iam::Role& role) {
    auto otherwise = std::min<std::int64_t>(3'600, role.session_seconds_max);
    auto seconds = TRY(optional_number(exchange, "DurationSeconds", otherwise, 900, 43'200));
    if (seconds > role.session_seconds_max) {
        return iam::invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    }
    return seconds;
}

Answer get_caller_identity(Sts&, Exchange& exchange) {
    const auto& who = exchange.caller.who;
    return query_result(
        exchange, element("Arn", who.arn) + element("UserId", who.id) + element("Account", who.account));
}

Answer get_session_token(Sts& sts, Exchange& exchange) {
    if (exchange.caller.expires) return denied("Cannot call GetSessionToken with session credentials");
    bool root = exchange.caller.who.kind == policy::CallerKind::root;
    auto seconds =
        TRY(optional_number(exchange, "DurationSeconds", root ? 3'600 : 43'200, 900, root ? 3'600 : 129'600));
    return query_result(exchange,
                        credentials_xml(iam::issue_user_session(sts.iam, exchange.caller.who.name, seconds)));
}

Answer assume_role(Sts& sts, Exchange& exchange) {
    auto arn = TRY(required(exchange, "RoleArn", arn_text));
    iam::SessionGrant grant;
    grant.session_name = TRY(required(exchange, "RoleSessionName", session_name));
    if (exchange.caller.who.kind == policy::CallerKind::root) {
        return denied("Roles may not be assumed by root accounts.");
    }
    auto role = role_of_arn(sts.iam, arn);
    if (!role) {
        return denied("User: " + exchange.caller.who.arn +
                      " is not authorized to perform: sts:AssumeRole on resource: " + arn);
    }
    grant.tags = TRY(read_tags(exchange));
    auto wanted = wanted_of(*role, "sts:AssumeRole");
    wanted.request_tags = grant.tags;
    policy::set(wanted.keys, "sts:rolesessionname", grant.session_name);
    if (auto external = exchange.parameter("ExternalId"))
        policy::set(wanted.keys, "sts:externalid", std::string(*external));
    TRY(Outcome<>(cloud::authorize_trust(exchange, exchange.caller, wanted)));
    if (!grant.tags.empty()) {
        wanted.action = "sts:TagSession";
        TRY(Outcome<>(cloud::authorize_trust(exchange, exchange.caller, wanted)));
    }
    grant.seconds = TRY(session_seconds(exchange, *role));
    bool chained = exchange.caller.who.kind == policy::CallerKind::role_session;
    if (chained && grant.seconds > 3'600) {
        return iam::invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
            "chaining");
    }
    TRY(read_session_policies(exchange, sts.iam, grant));
    auto credentials = iam::issue_role_session(sts.iam, *role, grant);
    return query_result(exchange, assumed_xml(credentials) + credentials_xml(credentials));
}

std::string fact(const identity::Denial& denial, std::string_view name) {
    auto found = std::ranges::find(denial.facts, name, &std::pair<std::string, std::string>::first);
    return found == denial.facts.end() ? std::string() : found->second;
}

AwsError refuse_token(Exchange& exchange, const identity::Denial& denial) {
    exchange.part = "the web identity token: " + denial.type + ", " + denial.detail;
    if (denial.type == "token-expired") {
        return {.status = 400,
                .code = "ExpiredTokenException",
                .message = "Token expired: current date/time " + fact(denial, "now") +
                           " must be before the expiration date/time " + fact(denial, "exp")};
    }
    auto message = [&]() -> std::string {
        if (denial.type == "token-audience") return "Incorrect token audience";
        if (denial.type == "token-unknown-key" || denial.type == "keys-unavailable")
            return "Couldn't retrieve verification key from your identity provider, please reference "
                   "AssumeRoleWithWebIdentity documentation for requirements";
        if (denial.type == "token-not-yet-valid") return "Token must have been issued in the past";
        if (denial.type == "token-malformed")
            return "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access "
                   "Token)";
        return "Provided Token is not a valid or supported web identity token";
    }();
    return {.status = 400, .code = "InvalidIdentityToken", .message = std::move(message)};
}

// Whose token it is, as trust policies name it.
struct WebCaller {
    oidc::LoginToken token;
    cloud::Caller caller;
    std::string provider;
};

Outcome<WebCaller> verify_web_identity(Sts& sts, Exchange& exchange, const std::string& text) {
    auto issuer = oidc::unverified_issuer(text);
    WebCaller web;
    if (issuer == cognito) {
        // Its audiences are the pools; the trust policy says which of them.
        web.provider = std::string(cognito);
        auto token = sts.tokens.verify(text, {.issuer = issuer, .audiences = {}});
        if (auto* denial = std::get_if<identity::Denial>(&token)) return refuse_token(exchange, *denial);
        web.token = std::get<oidc::LoginToken>(std::move(token));
    } else {
        auto arn = "arn:aws:iam::" + sts.iam.account() + ":oidc-provider/" + issuer;
        auto provider = iam::find(sts.iam.directory()->providers, arn);
        if (!provider) {
            exchange.part = "the web identity token: no provider for its issuer";
            return AwsError{
                .status = 400,
                .code = "InvalidIdentityToken",
                .message = "No OpenIDConnect provider found in your account for https://" + issuer};
        }
        auto token = sts.tokens.verify(text, {.issuer = issuer, .audiences = provider->client_ids});
        if (auto* denial = std::get_if<identity::Denial>(&token)) return refuse_token(exchange, *denial);
        web.token = std::get<oidc::LoginToken>(std::move(token));
        web.provider = arn;
    }
    web.caller.who = policy::web_identity(web.provider);
    web.caller.federated_provider = web.provider;
    policy::WebIdentity identity{
        .host = issuer, .audience = web.token.audience, .subject = web.token.subject, .methods = {}};
    if (const auto* amr = web.token.claims.if_contains("amr"); amr && amr->is_array()) {
        for (const auto& method : amr->get_array()) {
            if (method.is_string()) identity.methods.emplace_back(method.get_string());
        }
    }
    web.caller.web_identity = std::move(identity);
    return web;
}

Answer assume_role_with_web_identity(Sts& sts, Exchange& exchange) {
    auto arn = TRY(required(exchange, "RoleArn", arn_text));
    iam::SessionGrant grant;
    grant.session_name = TRY(required(exchange, "RoleSessionName", session_name));
    auto text = TRY(required(exchange, "WebIdentityToken", token_text));
    auto web = TRY(verify_web_identity(sts, exchange, text));
    auto refused = denied("Not authorized to perform sts:AssumeRoleWithWebIdentity");
    auto role = role_of_arn(sts.iam, arn);
    if (!role) return refused;
    auto wanted = wanted_of(*role, "sts:AssumeRoleWithWebIdentity");
    policy::set(wanted.keys, "sts:rolesessionname", grant.session_name);
    if (cloud::authorize_trust(exchange, web.caller, wanted)) return refused;
    grant.seconds = TRY(session_seconds(exchange, *role));
    TRY(read_session_policies(exchange, sts.iam, grant));
    grant.provider = web.provider;
    grant.web_identity = web.caller.web_identity;
    auto credentials = iam::issue_role_session(sts.iam, *role, grant);
    return query_result(exchange, assumed_xml(credentials) + credentials_xml(credentials) +
                                      element("SubjectFromWebIdentityToken", web.token.subject) +
                                      element("Audience", web.token.audience) +
                                      element("Provider", web.provider));
}

constexpr cloud::OperationOf<Sts> table[] = {
    {{"GetCallerIdentity", "Who the credentials are.", "signature; needs no permission"},
     Signing::required,
     get_caller_identity},
    {{"GetSessionToken", "For users and root, without MFA.", "signature; not with temporary credentials"},
     Signing::required,
     get_session_token},
    {{"AssumeRole", "Session policies, tags, external id; chained sessions at most an hour.",
      "signature; trust policy and identity policies; longest session"},
     Signing::required,
     assume_role},
    {{"AssumeRoleWithWebIdentity",
      "Tokens of IAM's OIDC providers and of Cognito Identity; session policies.",
      "token: signature, issuer, audience, times; trust policy with the token's keys; longest session"},
     Signing::none,
     assume_role_with_web_identity},
};

}  // namespace

cloud::Api api(Sts& sts) {
    return {.name = "sts",
            .title = "AWS STS",
            .signing_name = "sts",
            .protocol = cloud::Protocol::query,
            .xml_namespace = "https://sts.amazonaws.com/doc/2011-06-15/",
            .operations = cloud::bind<Sts>(sts, table)};
}

std::vector<cloud::About> operations() {
    std::vector<cloud::About> all;
    for (const auto& operation : table)
        all.push_back(operation.about);
    return all;
}

}  // namespace integreat::sts
