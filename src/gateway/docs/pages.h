// SPDX-License-Identifier: Apache-2.0
// HTML pages: the route table, the problem types, and the frame of every page of the platform. One file per
// page, light and dark, one inline style, no scripts, nothing fetched.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message/problem_catalogue.h"
#include "http/routing/route.h"

namespace integreat::gateway {

std::string docs_page(const std::vector<http::Route>& routes);
std::string problems_page();
std::string problem_page(const http::ProblemDefinition& problem);

std::string escape_html(std::string_view text);

// Builds a whole document around `body`.
std::string html_page(std::string_view title, const std::string& body);

// Returns the text between <style> and </style>, for a Content-Security-Policy that contains its hash.
std::string_view html_style();

}  // namespace integreat::gateway
