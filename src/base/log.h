// SPDX-License-Identifier: Apache-2.0
// The log of the process, for operators: one line per event, on the terminal or in journald.
// Requests are not logged here (gateway/ writes the access log). Services do not log at all: they return
// causes, and the caller that handles the error logs the cause once (style R16).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace integreat {

enum class Level { debug, info, warning, error };

struct Event {
    Level level = Level::info;
    std::string_view message;  // A sentence without details: "certificate reloaded".
    std::vector<std::pair<std::string_view, std::string>> fields;  // Details, as names and values.
};

void log(const Event& event);

enum class LogFormat { text, json };

// Sets format and minimum level. Called once, from main. Lines go to standard error.
void configure_log(LogFormat format, Level minimum);

}  // namespace integreat
