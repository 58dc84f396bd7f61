// SPDX-License-Identifier: Apache-2.0
// The operations of the local cloud as a table. What a client calls is found here, docs/local-cloud.md is
// printed from here, and tests walk it: an operation that is not in the table does not exist.
//
// A service writes its table over its own state and binds the two:
//
//     constexpr OperationOf<Sts> table[] = {
//         {{"GetCallerIdentity", "Who the credentials are.", "signature"}, Signing::required, get_caller},
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

// The three columns of the manual.
struct About {
    std::string_view name;       // "GetCredentialsForIdentity"
    std::string_view supported;  // One sentence: what works, and what of AWS's does not.
    std::string_view checks;  // What is enforced: "token signature, issuer, audience, times; trust policy".
};

enum class Signing : std::uint8_t {
    required,  // Unsigned: MissingAuthenticationToken (S3: AccessDenied).
    optional,  // Unsigned: the caller is anonymous; resource policies decide.
    none,      // A signature is not looked at: the operation has its own proof, a login token.
};

// Receives a large body piece by piece, where waiting is allowed: the chunked coding of AWS removed, hash
// and signatures checked as far as a piece can be. Destroyed without `end` if the client goes away or what
// it sent was wrong: whatever was stored so far must vanish then.
struct BodyReader {
    // An error refuses the rest of the body.
    std::function<std::optional<AwsError>(std::string_view bytes)> piece;
    // All bytes came, and they are what was signed. `trailers` are those of the body, names in lower case.
    std::function<Answer(const Parameters& trailers)> end;
};
using Reception = std::variant<BodyReader, http::Response, AwsError>;

struct Operation {
    About about;
    Signing signing = Signing::required;
    std::size_t body_bytes_max = 0;  // Of `run`. Beyond it: the protocol's error for large requests.
    // One of the two is set. Both run on the waiting pool.
    std::function<Answer(Exchange&)> run;
    std::function<Reception(Exchange&)> receive;  // Sees the head; the exchange outlives the reader.
};

template <class State>
struct OperationOf {
    About about;
    Signing signing = Signing::required;
    Answer (*run)(State&, Exchange&) = nullptr;
    Reception (*receive)(State&, Exchange&) = nullptr;
    std::size_t body_bytes_max = 1024 * 1024;
};

template <class State>
std::vector<Operation> bind(State& state, std::span<const OperationOf<State>> table) {
    std::vector<Operation> bound;
    for (const auto& entry : table) {
        Operation operation{entry.about, entry.signing, entry.body_bytes_max, nullptr, nullptr};
        if (entry.run) operation.run = [&state, run = entry.run](Exchange& e) { return run(state, e); };
        if (entry.receive)
            operation.receive = [&state, receive = entry.receive](Exchange& e) { return receive(state, e); };
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
    std::string name;          // In actions and in the manual: "s3", "cognito-identity".
    std::string title;         // "Amazon S3"
    std::string signing_name;  // In the scope of a credential: "ses" for SES v2.
    Protocol protocol = Protocol::query;
    std::string target_prefix = {};  // Of X-Amz-Target: "AWSCognitoIdentityService".
    std::string xml_namespace = {};  // Of answers: "https://sts.amazonaws.com/doc/2011-06-15/".
    std::vector<Operation> operations = {};

    // Of the REST protocols: which operation the head means; nothing becomes the protocol's error for that.
    // The first of the operations of this name is meant.
    std::function<std::string_view(const Exchange&)> find = {};

    // Of S3, where the bucket decides: the answer to a preflight, before anybody is authenticated, and the
    // fields of CORS for any other answer, errors included. Where not set, every origin is allowed.
    std::function<Answer(Exchange&)> preflight = {};
    std::function<void(const Exchange&, http::Headers&)> add_cors = {};
};

}  // namespace integreat::cloud
