// SPDX-License-Identifier: Apache-2.0
// The operations of the local cloud as tables. The frontend dispatches by them, docs/reference/local-cloud.md
// is generated from them, and tests iterate over them: an operation outside the tables does not exist.
//
// A service declares a table of functions over its state and binds the two:
//
//     constexpr OperationEntry<Sts> table[] = {
//         {{"GetCallerIdentity", "The identity of the credentials.", "signature"},
//          Signing::required, get_caller},
//     };
//     Api api(Sts& sts) { return {.name = "sts", ..., .operations = bind(sts, table)}; }
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cloud/aws/core/operation_context.h"

namespace integreat::cloud {

// The documentation of one operation: the three columns of the manual.
struct OperationDoc {
    std::string_view name;       // "GetCredentialsForIdentity"
    std::string_view supported;  // One sentence: the supported features and the missing ones.
    std::string_view
        checks;  // The enforced checks: "token signature, issuer, audience, times; trust policy".
};

enum class Signing : std::uint8_t {
    required,  // Unsigned requests get MissingAuthenticationToken (S3: AccessDenied).
    optional,  // Unsigned requests have an anonymous caller; resource policies decide.
    none,      // The signature is ignored: the operation verifies a login token instead.
};

// Receives a large body in chunks, on a thread that may block: aws-chunked coding removed, hashes and chunk
// signatures verified as far as received. Destroyed without `on_end` if the client disconnects or the body is
// invalid; the destructor must then remove everything stored so far.
struct BodyReader {
    // Returns an error to refuse the rest of the body.
    std::function<std::optional<AwsError>(std::string_view bytes)> on_chunk;
    // Called when the body is complete and verified. `trailers` are its trailer fields, names in lower case.
    std::function<OperationResult(const Parameters& trailers)> on_end;
};
using StreamedOperation = std::variant<BodyReader, http::Response, AwsError>;

struct Operation {
    OperationDoc doc;
    Signing signing = Signing::required;
    // Maximum body size for `run`, in bytes; a larger body gets the protocol's error.
    std::size_t max_body_bytes = 0;
    // Exactly one of the two is set. Both run on the blocking pool.
    std::function<OperationResult(OperationContext&)> run;
    std::function<StreamedOperation(OperationContext&)>
        receive;  // Sees the head only; the context outlives the reader.
};

template <class State>
struct OperationEntry {
    OperationDoc doc;
    Signing signing = Signing::required;
    OperationResult (*run)(State&, OperationContext&) = nullptr;
    StreamedOperation (*receive)(State&, OperationContext&) = nullptr;
    std::size_t max_body_bytes = 1024 * 1024;
};

template <class State>
std::vector<Operation> bind(State& state, std::span<const OperationEntry<State>> table) {
    std::vector<Operation> bound;
    for (const auto& entry : table) {
        Operation operation{entry.doc, entry.signing, entry.max_body_bytes, nullptr, nullptr};
        if (entry.run)
            operation.run = [&state, run = entry.run](OperationContext& c) { return run(state, c); };
        if (entry.receive)
            operation.receive = [&state, receive = entry.receive](OperationContext& c) {
                return receive(state, c);
            };
        bound.push_back(std::move(operation));
    }
    return bound;
}

enum class Protocol : std::uint8_t {
    query,      // Action=… in a form, XML out: STS, IAM.
    json,       // X-Amz-Target, JSON 1.1: Cognito Identity, SSM.
    rest_json,  // Method and path, JSON: SES v2.
    rest_xml,   // Method and path, XML: S3.
};

struct Api {
    std::string name;          // As in actions and in the manual: "s3", "cognito-identity".
    std::string title;         // "Amazon S3"
    std::string signing_name;  // The service in the credential scope: "ses" for SES v2.
    Protocol protocol = Protocol::query;
    std::string target_prefix = {};  // The prefix in X-Amz-Target: "AWSCognitoIdentityService".
    // The namespace of XML responses: "https://sts.amazonaws.com/doc/2011-06-15/".
    std::string xml_namespace = {};
    std::vector<Operation> operations = {};

    // REST protocols only: returns the name of the operation for the request head, or an empty text, which
    // becomes the protocol's error for an unknown operation. The first operation of this name runs.
    std::function<std::string_view(const OperationContext&)> find_operation = {};

    // S3 only, where the bucket decides: the response to a preflight, before authentication, and the CORS
    // headers of every other response, errors included. If not set, every origin is allowed.
    std::function<OperationResult(OperationContext&)> preflight = {};
    std::function<void(const OperationContext&, http::Headers&)> add_cors = {};
};

}  // namespace integreat::cloud
