// SPDX-License-Identifier: Apache-2.0
#include "cloud/sts/sts.h"

#include <algorithm>

#include <boost/json/array.hpp>

#include "cloud/aws/auth/authorize.h"
#include "cloud/aws/protocol/protocol.h"
#include "cloud/iam/query_parameters.h"
#include "cloud/iam/sessions.h"
#include "policy/document/arn.h"
#include "policy/document/document.h"

namespace integreat::sts {

using cloud::AwsError;
using cloud::AwsResult;
using cloud::element;
using cloud::OperationContext;
using cloud::OperationResult;
using cloud::query_result;
using cloud::Signing;
using iam::optional_integer;
using iam::optional_parameter;
using iam::required_parameter;

namespace {

constexpr iam::ParameterRule arn_rule{.min_length = 20, .max_length = 2'048, .is_name = false};
constexpr iam::ParameterRule session_name_rule{.min_length = 2, .max_length = 64};
constexpr iam::ParameterRule token_rule{.min_length = 4, .max_length = 20'000, .is_name = false};
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

std::string assumed_role_xml(const iam::TemporaryCredentials& credentials) {
    return "<AssumedRoleUser>" + element("AssumedRoleId", credentials.id) + element("Arn", credentials.arn) +
           "</AssumedRoleUser>";
}

std::shared_ptr<const iam::Role> find_role_by_arn(const iam::Iam& iam, std::string_view arn) {
    auto parts = policy::split_arn(arn);
    if (!parts || parts->service != "iam" || !parts->resource.starts_with("role/")) return nullptr;
    auto role = iam::find(iam.directory()->roles, policy::last_path_segment(parts->resource));
    return role && role->identity.arn == arn ? role : nullptr;
}

cloud::AuthorizationRequest make_authorization_request(const iam::Role& role, std::string action) {
    return {.action = std::move(action),
            .resource = role.identity.arn,
            .resource_policies = {{"trust policy of " + role.identity.name, role.trust.document}},
            .resource_account = {},
            .request_tags = {},
            .resource_tags = role.identity.tags,
            .keys = {}};
}

// Parses the session policies, which are validated here and evaluated at each use of the session.
AwsResult<> parse_session_policies(const OperationContext& context, const iam::Iam& iam,
                                   iam::SessionGrant& grant) {
    if (auto text = context.parameter("Policy"); text && !text->empty()) {
        auto parsed = policy::validate_document(*text, policy::DocumentKind::identity,
                                                {.max_bytes = policy::session_policy_bytes_max});
        if (!parsed.good()) {
            const auto& invalid = policy::first_aws_error(parsed.errors);
            bool too_long = invalid.kind == policy::ErrorKind::too_long;
            return AwsError{.status = 400,
                            .code = too_long ? "PackedPolicyTooLarge" : "MalformedPolicyDocument",
                            .message = invalid.aws_message};
        }
        grant.session_policies.emplace_back(*text);
    }
    for (int i = 1;; ++i) {
        auto arn = context.parameter("PolicyArns.member." + std::to_string(i) + ".arn");
        if (!arn) return {};
        if (!iam::find(iam.directory()->policies, *arn) || i > 10) {
            return iam::invalid("Session policy ARN is not valid, or there are more than ten: " +
                                std::string(*arn));
        }
        grant.session_policy_arns.emplace_back(*arn);
    }
}

AwsResult<std::map<std::string, std::string>> parse_session_tags(const OperationContext& context) {
    std::map<std::string, std::string> tags;
    for (int i = 1;; ++i) {
        auto prefix = "Tags.member." + std::to_string(i);
        auto name = context.parameter(prefix + ".Key");
        if (!name) return tags;
        auto value = context.parameter(prefix + ".Value").value_or("");
        bool valid = !name->empty() && name->size() <= 128 && value.size() <= 256 && tags.size() < tags_max;
        if (!valid)
            return iam::invalid("Tags: at most 50, of keys up to 128 and values up to 256 characters.");
        if (!tags.emplace(*name, value).second) {
            return AwsError{
                .status = 400,
                .code = "InvalidParameterValue",
                .message = "Duplicate tag keys found. Please note that Tag keys are case insensitive."};
        }
    }
}

AwsResult<std::int64_t> parse_duration(const OperationContext& context, const iam::Role& role) {
    auto default_value = std::min<std::int64_t>(3'600, role.session_seconds_max);
    auto seconds = TRY(optional_integer(context, "DurationSeconds", default_value, 900, 43'200));
    if (seconds > role.session_seconds_max) {
        return iam::invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    }
    return seconds;
}

OperationResult get_caller_identity(Sts&, OperationContext& context) {
    const auto& principal = context.caller.principal;
    return query_result(context, element("Arn", principal.arn) + element("UserId", principal.id) +
                                     element("Account", principal.account));
}

OperationResult get_session_token(Sts& sts, OperationContext& context) {
    if (context.caller.expires) return denied("Cannot call GetSessionToken with session credentials");
    bool root = context.caller.principal.kind == policy::CallerKind::root;
    auto seconds =
        TRY(optional_integer(context, "DurationSeconds", root ? 3'600 : 43'200, 900, root ? 3'600 : 129'600));
    return query_result(
        context, credentials_xml(iam::issue_user_session(sts.iam, context.caller.principal.name, seconds)));
}

OperationResult assume_role(Sts& sts, OperationContext& context) {
    auto arn = TRY(required_parameter(context, "RoleArn", arn_rule));
    iam::SessionGrant grant;
    grant.session_name = TRY(required_parameter(context, "RoleSessionName", session_name_rule));
    if (context.caller.principal.kind == policy::CallerKind::root) {
        return denied("Roles may not be assumed by root accounts.");
    }
    auto role = find_role_by_arn(sts.iam, arn);
    if (!role) {
        return denied("User: " + context.caller.principal.arn +
                      " is not authorized to perform: sts:AssumeRole on resource: " + arn);
    }
    grant.tags = TRY(parse_session_tags(context));
    auto authorization = make_authorization_request(*role, "sts:AssumeRole");
    authorization.request_tags = grant.tags;
    policy::set(authorization.keys, "sts:rolesessionname", grant.session_name);
    if (auto external = context.parameter("ExternalId"))
        policy::set(authorization.keys, "sts:externalid", std::string(*external));
    TRY(cloud::authorize_trust(context, context.caller, authorization));
    if (!grant.tags.empty()) {
        authorization.action = "sts:TagSession";
        TRY(cloud::authorize_trust(context, context.caller, authorization));
    }
    grant.seconds = TRY(parse_duration(context, *role));
    bool chained = context.caller.principal.kind == policy::CallerKind::role_session;
    if (chained && grant.seconds > 3'600) {
        return iam::invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
            "chaining");
    }
    TRY(parse_session_policies(context, sts.iam, grant));
    auto credentials = iam::issue_role_session(sts.iam, *role, grant);
    return query_result(context, assumed_role_xml(credentials) + credentials_xml(credentials));
}

std::string fact(const identity::AuthFailure& denial, std::string_view name) {
    auto found = std::ranges::find(denial.facts, name, &std::pair<std::string, std::string>::first);
    return found == denial.facts.end() ? std::string() : found->second;
}

AwsError token_error(OperationContext& context, const identity::AuthFailure& denial) {
    context.failed_part =
        "the web identity token: " + std::string(http::to_slug(denial.type)) + ", " + denial.detail;
    if (denial.type == http::ProblemType::token_expired) {
        return {.status = 400,
                .code = "ExpiredTokenException",
                .message = "Token expired: current date/time " + fact(denial, "now") +
                           " must be before the expiration date/time " + fact(denial, "exp")};
    }
    auto message = [&]() -> std::string {
        if (denial.type == http::ProblemType::token_audience) return "Incorrect token audience";
        if (denial.type == http::ProblemType::token_unknown_key ||
            denial.type == http::ProblemType::identity_unavailable)
            return "Couldn't retrieve verification key from your identity provider, please reference "
                   "AssumeRoleWithWebIdentity documentation for requirements";
        if (denial.type == http::ProblemType::token_not_yet_valid)
            return "Token must have been issued in the past";
        if (denial.type == http::ProblemType::token_malformed)
            return "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access "
                   "Token)";
        return "Provided Token is not a valid or supported web identity token";
    }();
    return {.status = 400, .code = "InvalidIdentityToken", .message = std::move(message)};
}

// A verified web identity token and its caller, as trust policies see it.
struct WebCaller {
    oidc::LoginToken token;
    cloud::Caller caller;
    std::string provider;
};

AwsResult<WebCaller> verify_web_identity(Sts& sts, OperationContext& context, const std::string& text) {
    auto issuer = oidc::parse_unverified_issuer(text);
    WebCaller web;
    if (issuer == cognito) {
        // The audience is an identity pool; the trust policy restricts it.
        web.provider = std::string(cognito);
        auto token = sts.tokens.verify(text, {.issuer = issuer, .audiences = {}});
        if (auto* denial = std::get_if<identity::AuthFailure>(&token)) return token_error(context, *denial);
        web.token = std::get<oidc::LoginToken>(std::move(token));
    } else {
        auto arn = "arn:aws:iam::" + sts.iam.account() + ":oidc-provider/" + issuer;
        auto provider = iam::find(sts.iam.directory()->providers, arn);
        if (!provider) {
            context.failed_part = "the web identity token: no provider for its issuer";
            return AwsError{
                .status = 400,
                .code = "InvalidIdentityToken",
                .message = "No OpenIDConnect provider found in your account for https://" + issuer};
        }
        auto token = sts.tokens.verify(text, {.issuer = issuer, .audiences = provider->client_ids});
        if (auto* denial = std::get_if<identity::AuthFailure>(&token)) return token_error(context, *denial);
        web.token = std::get<oidc::LoginToken>(std::move(token));
        web.provider = arn;
    }
    web.caller.principal = policy::web_identity(web.provider);
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

OperationResult assume_role_with_web_identity(Sts& sts, OperationContext& context) {
    auto arn = TRY(required_parameter(context, "RoleArn", arn_rule));
    iam::SessionGrant grant;
    grant.session_name = TRY(required_parameter(context, "RoleSessionName", session_name_rule));
    auto text = TRY(required_parameter(context, "WebIdentityToken", token_rule));
    auto web = TRY(verify_web_identity(sts, context, text));
    auto refused = denied("Not authorized to perform sts:AssumeRoleWithWebIdentity");
    auto role = find_role_by_arn(sts.iam, arn);
    if (!role) return refused;
    auto authorization = make_authorization_request(*role, "sts:AssumeRoleWithWebIdentity");
    policy::set(authorization.keys, "sts:rolesessionname", grant.session_name);
    if (!cloud::authorize_trust(context, web.caller, authorization)) return refused;
    grant.seconds = TRY(parse_duration(context, *role));
    TRY(parse_session_policies(context, sts.iam, grant));
    grant.provider = web.provider;
    grant.web_identity = web.caller.web_identity;
    auto credentials = iam::issue_role_session(sts.iam, *role, grant);
    return query_result(context, assumed_role_xml(credentials) + credentials_xml(credentials) +
                                     element("SubjectFromWebIdentityToken", web.token.subject) +
                                     element("Audience", web.token.audience) +
                                     element("Provider", web.provider));
}

constexpr cloud::OperationEntry<Sts> table[] = {
    {{"GetCallerIdentity", "The identity of the credentials.", "signature; needs no permission"},
     Signing::required,
     get_caller_identity},
    {{"GetSessionToken", "For users and root, without MFA.", "signature; not with temporary credentials"},
     Signing::required,
     get_session_token},
    {{"AssumeRole", "Session policies, tags, external id; chained sessions last at most one hour.",
      "signature; trust policy and identity policies; maximum session duration"},
     Signing::required,
     assume_role},
    {{"AssumeRoleWithWebIdentity",
      "Tokens of IAM's OIDC providers and of Cognito Identity; session policies.",
      "token: signature, issuer, audience, times; trust policy with the token's condition keys; maximum "
      "session duration"},
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

std::vector<cloud::OperationDoc> operations() {
    std::vector<cloud::OperationDoc> all;
    for (const auto& operation : table)
        all.push_back(operation.doc);
    return all;
}

}  // namespace integreat::sts
