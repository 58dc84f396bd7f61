-- SPDX-License-Identifier: Apache-2.0
-- wrk script for the gateway: sends the requests of a file. Its lines are path and bearer token and, for methods
-- other than GET, method and JSON body, separated by tabs.
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "../wrk_requests.lua")

function init(args)
    for line in io.lines(args[1]) do
        local path, token, method, body = line:match("^(%S+)\t?(%S*)\t?(%S*)\t?(.*)$")
        local headers = {}
        if body ~= "" then headers["Content-Type"] = "application/json" end
        if token ~= "" then headers["Authorization"] = "Bearer " .. token end
        add(wrk.format(method ~= "" and method or "GET", path, headers, body ~= "" and body or nil))
    end
end
