// SPDX-License-Identifier: Apache-2.0
// The process's own log: what an operator reads on the terminal or in journald. One event, one line.
// Requests are not logged here (gateway/ writes the access log), and services do not log at all: they
// return causes, and whoever decides what happens next logs them once (style R16).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace integreat {

enum class Level { debug, info, warning, error };

struct Event {
    Level level = Level::info;
    std::string_view message;  // A sentence without the particulars: "certificate reloaded".
    std::vector<std::pair<std::string_view, std::string>> fields;  // The particulars.
};

void log(const Event& event);

enum class LogFormat { text, json };

// Called once, from main. Lines go to standard error.
void configure_log(LogFormat format, Level lowest);

}  // namespace integreat
