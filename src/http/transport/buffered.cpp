// SPDX-License-Identifier: Apache-2.0
#include "http/transport/buffered.h"

#include <algorithm>
#include <condition_variable>
#include <exception>

#include <unistd.h>

#include "base/concurrency/synchronized.h"

namespace integreat::http {

namespace {

constexpr std::size_t chunk_bytes = 64 * 1024;

// State shared with the waker, which may be called after the wait has ended.
struct WakeState {
    Synchronized<bool> flag{false};
    std::condition_variable changed;
};

Error too_long(std::size_t max_bytes) {
    return {Fault::exhausted,
            "the response has more than " + std::to_string(max_bytes) +
                " bytes, which is too long to be buffered",
            ""};
}

Error incomplete(std::string cause) {
    return {Fault::unavailable, "the response ended before it was complete", std::move(cause)};
}

Result<> read_region(const FileRegion& region, std::size_t max_bytes, std::string& body) {
    if (region.length > max_bytes) return too_long(max_bytes);
    body.resize(static_cast<std::size_t>(region.length));
    for (std::size_t done = 0; done < body.size();) {
        auto bytes = ::pread(region.file->get(), body.data() + done, body.size() - done,
                             static_cast<off_t>(region.offset + done));
        if (bytes <= 0) return incomplete("the file is shorter than its region, or cannot be read");
        done += static_cast<std::size_t>(bytes);
    }
    return {};
}

ReadStatus read_chunk(BodyStream& stream, std::string& body, const ReadRequest& request, std::string& cause) {
    try {
        return stream.read(body, request);
    } catch (const std::exception& error) {
        cause = error.what();
        return ReadStatus::error;
    }
}

Result<> read_stream(BodyStream& stream, bool endless, std::size_t max_bytes,
                     std::chrono::milliseconds timeout, std::string& body) {
    auto wake_state = std::make_shared<WakeState>();
    Waker waker = [wake_state] {
        *wake_state->flag.lock() = true;
        wake_state->changed.notify_all();
    };
    for (;;) {
        *wake_state->flag.lock() = false;
        std::string cause = "the body stream reported an error";
        auto status =
            read_chunk(stream, body, {.bytes = std::min(chunk_bytes, max_bytes), .waker = waker}, cause);
        if (status == ReadStatus::error) return incomplete(std::move(cause));
        if (body.size() > max_bytes) return too_long(max_bytes);
        if (status == ReadStatus::eof) return {};
        if (status == ReadStatus::ready) continue;
        auto flag = wake_state->flag.lock();
        if (wake_state->changed.wait_for(flag.lock(), timeout, [&] { return *flag; })) continue;
        if (endless) return {};
        return incomplete("the body stream stayed pending");
    }
}

}  // namespace

Result<FullResponse> buffer_response(StreamingResponse stream, std::size_t max_bytes,
                                     std::chrono::milliseconds timeout) {
    FullResponse response{.status = stream.status, .headers = std::move(stream.headers)};
    if (const auto* region = std::get_if<FileRegion>(&stream.body)) {
        TRY(read_region(*region, max_bytes, response.body));
        return response;
    }
    auto& body_stream = *std::get<std::unique_ptr<BodyStream>>(stream.body);
    TRY(read_stream(body_stream, !stream.heartbeat.empty(), max_bytes, timeout, response.body));
    if (stream.length && *stream.length != response.body.size())
        return incomplete("the body has another length than announced");
    return response;
}

}  // namespace integreat::http
