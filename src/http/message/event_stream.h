// SPDX-License-Identifier: Apache-2.0
// Server-sent events (WHATWG HTML, section 9.2): an endless stream of small texts that browsers follow with
// EventSource, which comes back by itself and says by Last-Event-ID what it has seen.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/message/message.h"

namespace integreat::http {

struct Event {
    std::string_view id;    // What Last-Event-ID will be; empty: as before. No CR, LF, NUL.
    std::string_view type;  // Empty: "message". No CR, LF.
    std::string_view data;  // Any text; each line of it becomes a field.
};

void append_event(std::string& to, const Event& event);

// 200 with the fields that keep caches and proxies from holding events back, and a comment line as heartbeat.
Stream event_stream(std::unique_ptr<BodySource> source);

}  // namespace integreat::http
