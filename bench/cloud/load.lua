-- SPDX-License-Identifier: Apache-2.0
-- wrk's side of a measurement of S3: sends signed requests from a file in turn. Lines are METHOD, TARGET and header
-- fields, separated by tabs; the body of a PUT is the file named second.
local requests, count, position = {}, 0, 0

function init(args)
    local body = io.open(args[2], "rb"):read("a")
    for line in io.lines(args[1]) do
        local fields = {}
        for field in line:gmatch("[^\t]+") do fields[#fields + 1] = field end
        local headers = {}
        for i = 3, #fields do
            local name, value = fields[i]:match("^([^:]+): (.*)$")
            headers[name] = value
        end
        count = count + 1
        requests[count] = wrk.format(fields[1], fields[2], headers, fields[1] == "PUT" and body or nil)
    end
end

function request()
    position = position % count + 1
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
