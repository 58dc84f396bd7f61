// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <array>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace integreat {

namespace {

LogFormat log_format = LogFormat::text;

spdlog::level::level_enum spdlog_level(Level level) {
    static constexpr std::array levels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                       spdlog::level::err};
    return levels[static_cast<std::size_t>(level)];
}

void append_quoted(std::string& line, std::string_view text) {
    line += '"';
    for (char character : text) {
        auto byte = static_cast<unsigned char>(character);
        if (character == '"' || character == '\\') {
            line += '\\';
            line += character;
        } else if (byte < 0x20 || byte == 0x7f) {
            line += fmt::format("\\u{:04x}", byte);
        } else {
            line += character;
        }
    }
    line += '"';
}

bool needs_no_quotes(std::string_view text) {
    auto ordinary = [](unsigned char byte) {
        return byte > 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), ordinary);
}

std::string format_text(const Event& event) {
    std::string line(event.message);
    for (const auto& [name, value] : event.fields) {
        line.append("  ").append(name).append("=");
        if (needs_no_quotes(value)) {
            line += value;
        } else {
            append_quoted(line, value);
        }
    }
    return line;
}

std::string format_json_members(const Event& event) {
    std::string line = "\"message\":";
    append_quoted(line, event.message);
    for (const auto& [name, value] : event.fields) {
        line += ",";
        append_quoted(line, name);
        line += ":";
        append_quoted(line, value);
    }
    return line;
}

}  // namespace

void log(const Event& event) {
    auto level = spdlog_level(event.level);
    auto* logger = spdlog::default_logger_raw();
    if (!logger->should_log(level)) return;
    logger->log(level, log_format == LogFormat::json ? format_json_members(event) : format_text(event));
}

void configure_log(LogFormat format, Level minimum) {
    log_format = format;
    auto logger = spdlog::stderr_color_mt("integreat");
    logger->set_level(spdlog_level(minimum));
    logger->set_pattern(
        format == LogFormat::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                  : "%^%H:%M:%S %-7l%$ %v",
        format == LogFormat::json ? spdlog::pattern_time_type::utc : spdlog::pattern_time_type::local);
    spdlog::set_default_logger(std::move(logger));
}

}  // namespace integreat
