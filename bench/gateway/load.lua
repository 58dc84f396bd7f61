-- SPDX-License-Identifier: Apache-2.0
-- wrk's side of a measurement: sends the requests listed in a file (path, bearer token and, if they are not
-- GET, method and JSON body, with tabs between) in turn, the same way for every subject, and prints what
-- happened as one line of JSON.
local requests, count, position = {}, 0, 0

function init(args)
    for line in io.lines(args[1]) do
        local path, token, method, body = line:match("^(%S+)\t?(%S*)\t?(%S*)\t?(.*)$")
        local headers = {}
        if body ~= "" then headers["Content-Type"] = "application/json" end
        if token ~= "" then headers["Authorization"] = "Bearer " .. token end
        count = count + 1
        requests[count] = wrk.format(method ~= "" and method or "GET", path, headers, body ~= "" and body or nil)
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
