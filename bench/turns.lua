-- SPDX-License-Identifier: Apache-2.0
-- What the scripts for wrk share: their requests are sent in turn, the same way for every subject, and what
-- happened is printed as one line of JSON.
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
        'RESULT {"requests": %d, "bytes": %d, "duration_us": %d, "refused": %d, "broken": %d, "p50_us": %d, '
            .. '"p99_us": %d}\n',
        summary.requests, summary.bytes, summary.duration, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
