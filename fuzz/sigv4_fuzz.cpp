// SPDX-License-Identifier: Apache-2.0
// Parses any bytes as the signed parts of a request: first line "METHOD PATH?QUERY", then "name:value" lines.
// A valid claim is verified with a random secret, so nothing is ever accepted.
#include "aws/sigv4_parse.h"

using namespace integreat::aws;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(bytes), size);
    auto next_line = [&] {
        auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        return line;
    };
    auto first = next_line();
    auto space = std::min(first.find(' '), first.size());
    auto target = first.substr(std::min(space + 1, first.size()));
    auto question = std::min(target.find('?'), target.size());
    std::vector<SigV4Header> headers;
    while (!text.empty() && headers.size() < 100) {
        auto line = next_line();
        auto colon = std::min(line.find(':'), line.size());
        headers.push_back({line.substr(0, colon), line.substr(std::min(colon + 1, line.size()))});
    }
    SigV4Request request{first.substr(0, space), target.substr(0, question),
                         target.substr(std::min(question + 1, target.size())), headers};
    auto result = parse_sigv4(request);
    if (auto* error = std::get_if<SigV4Error>(&result)) ASSERT(!error->part.empty());
    auto* claim = std::get_if<SigV4Claim>(&result);
    if (!claim) return 0;
    ASSERT(!claim->access_key_id.empty() && claim->signature.size() == 64 && !claim->signed_headers.empty());
    auto time = check_sigv4_time(*claim, integreat::from_unix_seconds(1'440'938'160));
    if (time) ASSERT(!time->part.empty());
    auto key = derive_signing_key(integreat::Secret("a secret that no input contains"), *claim);
    for (auto path : {SigV4PathEncoding::once, SigV4PathEncoding::twice}) {
        auto error = check_sigv4({request, *claim, path, empty_payload_sha256}, key);
        ASSERT(error && error->fault == SigV4Fault::signature);
    }
    return 0;
}
