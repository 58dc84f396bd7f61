-- SPDX-License-Identifier: Apache-2.0
-- wrk's side of a measurement of S3: signed requests from a file. Lines are METHOD, TARGET and header fields,
-- separated by tabs; the body of a PUT is the file named second.
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "../turns.lua")

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
