-- SPDX-License-Identifier: Apache-2.0
-- wrk's side of a measurement: the requests listed in a file, with tabs between path, bearer token and, if they
-- are not GET, method and JSON body.
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "../turns.lua")

function init(args)
    for line in io.lines(args[1]) do
        local path, token, method, body = line:match("^(%S+)\t?(%S*)\t?(%S*)\t?(.*)$")
        local headers = {}
        if body ~= "" then headers["Content-Type"] = "application/json" end
        if token ~= "" then headers["Authorization"] = "Bearer " .. token end
        add(wrk.format(method ~= "" and method or "GET", path, headers, body ~= "" and body or nil))
    end
end
