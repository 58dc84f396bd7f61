// SPDX-License-Identifier: Apache-2.0
// Server-sent events (WHATWG HTML, section 9.2): an endless stream of small texts that browsers read with
// EventSource, which reconnects automatically and sends the last event it received in Last-Event-ID.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/message/message.h"

namespace integreat::http {

struct Event {
    std::string_view id;    // Next Last-Event-ID; empty: unchanged. No CR, LF, NUL.
    std::string_view type;  // Event type without CR or LF; empty: "message".
    std::string_view data;  // Any text; each line becomes a field.
};

void append_event(std::string& to, const Event& event);

// Makes a 200 response with the fields that keep caches and proxies from buffering events, and a comment line
// as heartbeat.
StreamingResponse make_event_stream(std::unique_ptr<BodyStream> events);

}  // namespace integreat::http
