// SPDX-License-Identifier: Apache-2.0
#include "http/message/event_stream.h"

#include "base/assert.h"

namespace integreat::http {

namespace {

void append_field(std::string& to, std::string_view name, std::string_view value) {
    to.append(name).append(": ").append(value).append("\n");
}

}  // namespace

void append_event(std::string& to, const Event& event) {
    using namespace std::string_view_literals;
    ASSERT(event.id.find_first_of("\r\n\0"sv) == std::string_view::npos);
    ASSERT(event.type.find_first_of("\r\n") == std::string_view::npos);
    if (!event.type.empty()) append_field(to, "event", event.type);
    for (auto rest = event.data;;) {
        auto end = rest.find_first_of("\r\n");
        append_field(to, "data", rest.substr(0, end));
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + (rest.substr(end, 2) == "\r\n" ? 2 : 1));
    }
    if (!event.id.empty()) append_field(to, "id", event.id);
    to += '\n';
}

StreamingResponse make_event_stream(std::unique_ptr<BodyStream> events) {
    StreamingResponse stream{.body = std::move(events), .heartbeat = ":\n\n"};
    stream.headers.add("Content-Type", "text/event-stream");
    stream.headers.add("Cache-Control", "no-store");
    stream.headers.add("X-Accel-Buffering", "no");  // nginx would buffer events until its buffer is full.
    return stream;
}

}  // namespace integreat::http
