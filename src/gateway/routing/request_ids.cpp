// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/request_ids.h"

#include <bit>
#include <span>

#include "base/text/ascii.h"
#include "crypto/ids.h"

namespace integreat::gateway {

namespace {

// xoshiro256** 1.0 by David Blackman and Sebastiano Vigna: https://prng.di.unimi.it/
std::uint64_t next(std::array<std::uint64_t, 4>& state) {
    std::uint64_t result = std::rotl(state[1] * 5, 7) * 9;
    std::uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = std::rotl(state[3], 45);
    return result;
}

void append_hex(std::string& to, std::uint64_t number) {
    char digits[16];
    for (std::size_t i = 16; i-- > 0; number >>= 4)
        digits[i] = hex_digits[number & 15];
    to.append(digits, sizeof digits);
}

bool is_lower_hex(std::string_view text) {
    for (char c : text) {
        if (!(is_digit(c) || (c >= 'a' && c <= 'f'))) return false;
    }
    return true;
}

bool is_all_zeros(std::string_view text) {
    return text.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

RequestIdGenerator::RequestIdGenerator(Random& random) {
    for (auto& shard : shards_) {
        auto state = shard.state.lock();
        random.fill(std::as_writable_bytes(std::span(*state)));
        (*state)[0] |= 1;  // The generator never leaves the all-zero state.
    }
}

void RequestIdGenerator::assign(http::RequestContext& context, std::string_view traceparent) {
    std::array<std::uint64_t, 5> numbers;
    {
        auto state = shards_[thread_shard()].state.lock();
        for (auto& number : numbers)
            number = next(*state);
    }
    context.id.text.assign("req_").resize(4 + crypto::ulid_length);
    crypto::write_ulid(context.id.text.data() + 4, context.started, numbers[0], numbers[1]);

    if (traceparent.empty() || !parse_traceparent(traceparent, context.trace)) {
        context.trace.trace_id.clear();
        append_hex(context.trace.trace_id, numbers[2] | 1);
        append_hex(context.trace.trace_id, numbers[3]);
        context.trace.sampled = true;  // Every request has a row in the transaction log.
    }
    context.trace.parent_id.clear();
    append_hex(context.trace.parent_id, numbers[4] | 1);
}

bool parse_traceparent(std::string_view text, http::TraceContext& trace) {
    if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
    auto version = text.substr(0, 2), trace_id = text.substr(3, 32);
    auto parent_id = text.substr(36, 16), flags = text.substr(53, 2);
    if (!is_lower_hex(version) || !is_lower_hex(trace_id) || !is_lower_hex(parent_id) || !is_lower_hex(flags))
        return false;
    if (version == "ff" || is_all_zeros(trace_id) || is_all_zeros(parent_id)) return false;
    bool ends_here = text.size() == 55;
    if (!ends_here && (version == "00" || text[55] != '-'))
        return false;  // Later versions may append fields.
    trace.trace_id.assign(trace_id);
    trace.sampled = hex_digits.find(flags[1]) & 1;
    return true;
}

std::string format_traceparent(const http::TraceContext& trace) {
    std::string text;
    text.reserve(55);
    text.append("00-").append(trace.trace_id).append("-").append(trace.parent_id);
    return text.append(trace.sampled ? "-01" : "-00");
}

}  // namespace integreat::gateway
