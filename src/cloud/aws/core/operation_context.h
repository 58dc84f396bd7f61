// SPDX-License-Identifier: Apache-2.0
// One request on its way through the local cloud, and what an operation may ask of the front while it
// answers: who is calling, what they sent, and whether they may.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cloud/aws/core/aws_error.h"
#include "cloud/aws/core/caller.h"
#include "http/message/message.h"
#include "http/routing/request_context.h"

namespace integreat::cloud {

struct Api;
struct Front;
struct Operation;

using Parameters = std::vector<std::pair<std::string, std::string>>;

// One permission that was looked at, for the log and `integreat why`.
struct Verdict {
    bool allowed = false;
    std::string action;
    std::string resource;
    std::string reason;  // "denied by statement 2 (NoDeletes) of bucket policy a-bucket"
};

struct Exchange {
    const Front& front;
    const http::Request& request;
    http::Call& call;  // Its id is the request id that AWS's clients print.
    const Api* api = nullptr;
    const Operation* operation = nullptr;
    Caller caller = {};
    std::string region = {};  // That the request was signed for; empty if unsigned.
    Parameters query = {};    // Decoded, in their order; of the query protocol, those of the form.

    // Of S3: from the path or from the host name ("bucket.localhost"), decoded. Empty if not named.
    std::string bucket = {};
    std::string key = {};

    std::string_view body = {};          // Whole and decoded, for operations that do not stream it.
    std::vector<Verdict> verdicts = {};  // In the order they were asked for.
    std::string part = {};  // Which part of the authentication failed: "the signed header x-amz-date …"

    // The first value of a query parameter; nothing if it is not there ("?acl" is there, and empty).
    std::optional<std::string_view> parameter(std::string_view name) const;
};

// "May the caller do this?" Ask before anything is read or changed; operations on several resources ask for
// each. Nothing is the permission; else AccessDenied with AWS's sentence, ready to be answered.
struct Wanted {
    std::string action;                                    // "s3:GetObject"
    std::string resource;                                  // "arn:aws:s3:::a-bucket/a-key"
    std::vector<policy::Attached> resource_policies = {};  // Of the bucket; of a role, its trust policy.
    std::string resource_account = {};                     // Empty: this account.
    std::map<std::string, std::string> request_tags = {};
    std::map<std::string, std::string> resource_tags = {};
    policy::Context keys = {};  // Of the service: "s3:prefix", "s3:existingobjecttag/…".
};
std::optional<AwsError> authorize(Exchange& exchange, const Wanted& wanted);

// The same for a role: its trust policy must allow, whoever asks (policy::evaluate_trust).
std::optional<AwsError> authorize_trust(Exchange& exchange, const Caller& caller, const Wanted& wanted);

// The signature of a browser's form upload (S3 POST): the fields of the form as they came.
struct SignedForm {
    std::string algorithm;  // x-amz-algorithm
    std::string credential;
    std::string date;
    std::string security_token;  // Empty if there is none.
    std::string policy;          // Still base64: this is what was signed.
    std::string signature;
};
// Verifies it and makes its signer the caller of the exchange. What the policy demands is S3's to check.
std::optional<AwsError> authenticate_form(Exchange& exchange, const SignedForm& form);

// net/ adds Date and Content-Length; the front adds the request id and the fields of CORS.
using Answer = std::variant<http::Response, AwsError>;

}  // namespace integreat::cloud
