-- SPDX-License-Identifier: Apache-2.0
-- Shared part of the wrk scripts: sends the added requests round-robin and prints the result as one line of JSON.
local requests, position = {}, 0

function add(formatted)
    requests[#requests + 1] = formatted
end

function request()
    position = position % #requests + 1
    return requests[position]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        'RESULT {"requests": %d, "bytes": %d, "duration_us": %d, "http_errors": %d, "socket_errors": %d, '
            .. '"p50_us": %d, "p99_us": %d}\n',
        summary.requests, summary.bytes, summary.duration, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
