-- SPDX-License-Identifier: Apache-2.0
-- wrk's side of a measurement: sends the requests listed in a file (path, tab, bearer token) in turn, the
-- same way for every subject, and prints what happened as one line of JSON.
local requests, count, position = {}, 0, 0

function init(args)
    for line in io.lines(args[1]) do
        local path, token = line:match("^(%S+)\t?(%S*)$")
        local headers = {}
        if token ~= "" then headers["Authorization"] = "Bearer " .. token end
        count = count + 1
        requests[count] = wrk.format("GET", path, headers)
    end
end

function request()
    position = position % count + 1
    return requests[position]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        'RESULT {"requests": %d, "duration_us": %d, "refused": %d, "broken": %d, '
            .. '"p50_us": %d, "p99_us": %d}\n',
        summary.requests, summary.duration, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
