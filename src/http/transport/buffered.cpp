// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <condition_variable>
#include <exception>

#include <unistd.h>

#include "base/concurrency/synchronized.h"
#include "http/transport/application.h"

namespace integreat::http {

namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

// Shared with the wakes, which may be called when nobody waits any more.
struct Woken {
    Guarded<bool> flag{false};
    std::condition_variable changed;
};

Error too_long(std::size_t bytes_max) {
    return {
        Fault::exhausted,
        "the answer has more than " + std::to_string(bytes_max) + " bytes, which is too long to be collected",
        ""};
}

Error broke_off(std::string cause) {
    return {Fault::unavailable, "the answer broke off in the middle", std::move(cause)};
}

Result<> read_region(const FileRegion& region, std::size_t bytes_max, std::string& body) {
    if (region.length > bytes_max) return too_long(bytes_max);
    body.resize(static_cast<std::size_t>(region.length));
    for (std::size_t done = 0; done < body.size();) {
        auto bytes = ::pread(region.file->descriptor(), body.data() + done, body.size() - done,
                             static_cast<off_t>(region.offset + done));
        if (bytes <= 0) return broke_off("the file is shorter than its region, or cannot be read");
        done += static_cast<std::size_t>(bytes);
    }
    return {};
}

Pace ask(BodySource& source, std::string& body, const Demand& demand, std::string& cause) {
    try {
        return source.produce(body, demand);
    } catch (const std::exception& failure) {
        cause = failure.what();
        return Pace::broken;
    }
}

Result<> read_source(BodySource& source, bool endless, std::size_t bytes_max,
                     std::chrono::milliseconds patience, std::string& body) {
    auto woken = std::make_shared<Woken>();
    Wake wake = [woken] {
        *woken->flag.lock() = true;
        woken->changed.notify_all();
    };
    for (;;) {
        *woken->flag.lock() = false;
        std::string cause = "the source gave up";
        auto pace = ask(source, body, {.bytes = std::min(piece_bytes, bytes_max), .wake = wake}, cause);
        if (pace == Pace::broken) return broke_off(std::move(cause));
        if (body.size() > bytes_max) return too_long(bytes_max);
        if (pace == Pace::end) return {};
        if (pace == Pace::more) continue;
        auto flag = woken->flag.lock();
        if (woken->changed.wait_for(flag.lock(), patience, [&] { return *flag; })) continue;
        if (endless) return {};
        return broke_off("the source stayed idle");
    }
}

}  // namespace

Result<Reply> collect(Stream stream, std::size_t bytes_max, std::chrono::milliseconds patience) {
    Reply reply{.status = stream.status, .headers = std::move(stream.headers)};
    if (const auto* region = std::get_if<FileRegion>(&stream.body)) {
        TRY(read_region(*region, bytes_max, reply.body));
        return reply;
    }
    auto& source = *std::get<std::unique_ptr<BodySource>>(stream.body);
    TRY(read_source(source, !stream.heartbeat.empty(), bytes_max, patience, reply.body));
    if (stream.length && *stream.length != reply.body.size())
        return broke_off("the source made another length than it promised");
    return reply;
}

}  // namespace integreat::http
