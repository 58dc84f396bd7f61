// SPDX-License-Identifier: Apache-2.0
// The look that all pages of the platform share: light and dark, one inline style, nothing fetched.
#pragma once

#include <string>
#include <string_view>

namespace integreat::gateway {

std::string escaped(std::string_view text);

// A whole document around `body`.
std::string html_page(std::string_view title, const std::string& body);

// What is between <style> and </style>, for a policy that names its hash.
std::string_view html_style();

}  // namespace integreat::gateway
