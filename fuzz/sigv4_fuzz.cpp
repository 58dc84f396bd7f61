// SPDX-License-Identifier: Apache-2.0
// Any bytes as the signed parts of a request: first line "METHOD PATH?QUERY", then "name:value" lines. What
// can be read is checked with a secret that nobody knows, so nothing is ever accepted.
#include "aws/sigv4.h"

using namespace integreat::crypto;

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
    std::vector<SigV4Field> headers;
    while (!text.empty() && headers.size() < 100) {
        auto line = next_line();
        auto colon = std::min(line.find(':'), line.size());
        headers.push_back({line.substr(0, colon), line.substr(std::min(colon + 1, line.size()))});
    }
    SigV4Message message{first.substr(0, space), target.substr(0, question),
                         target.substr(std::min(question + 1, target.size())), headers};
    auto reading = parse_sigv4(message);
    if (auto* refusal = std::get_if<SigV4Refusal>(&reading)) ASSERT(!refusal->part.empty());
    auto* claim = std::get_if<SigV4Claim>(&reading);
    if (!claim) return 0;
    ASSERT(!claim->access_key_id.empty() && claim->signature.size() == 64 && !claim->signed_headers.empty());
    auto time = check_sigv4_time(*claim, integreat::from_unix_seconds(1'440'938'160));
    if (time) ASSERT(!time->part.empty());
    auto key = derive_signing_key(integreat::Secret("a secret that is nowhere written"), *claim);
    for (auto path : {SigV4Path::as_sent, SigV4Path::encoded_again}) {
        auto refusal = check_sigv4({message, *claim, path, sha256_of_nothing}, key);
        ASSERT(refusal && refusal->fault == SigV4Fault::signature);
    }
    return 0;
}
