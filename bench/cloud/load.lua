-- SPDX-License-Identifier: Apache-2.0
-- wrk script for S3: sends the signed requests of the first file. Its lines are METHOD, TARGET and header fields,
-- separated by tabs. The second file is the body of every PUT.
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "../wrk_requests.lua")

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
        add(wrk.format(fields[1], fields[2], headers, fields[1] == "PUT" and body or nil))
    end
end
