// SPDX-License-Identifier: Apache-2.0
// The route table and the problems as pages to read: one file each, no scripts, nothing fetched.
#pragma once

#include <string>
#include <vector>

#include "http/message/problem_catalogue.h"
#include "http/routing/route.h"

namespace integreat::gateway {

std::string docs_page(const std::vector<http::Route>& routes);
std::string problems_page();
std::string problem_page(const http::ProblemKind& kind);

}  // namespace integreat::gateway
