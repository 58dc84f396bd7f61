// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/protocol/xml.h"

#include <gtest/gtest.h>

#include "cloud/s3/store/limits.h"

namespace integreat::s3 {
namespace {

bool parses(const std::string& body) {
    return static_cast<bool>(parse_xml(body, "a"));
}

TEST(XmlTest, RefusesMalformedDocumentsAndOtherRoots) {
    EXPECT_TRUE(parses("<a/>"));
    EXPECT_TRUE(parses("<s3:a xmlns:s3=\"x\"/>"));
    for (const char* body : {"", "<a>", "<b/>", "<a/><a/>"})
        EXPECT_FALSE(parses(body)) << body;
    auto other = parse_xml("<b/>", "a");
    EXPECT_EQ(other.error().code, "MalformedXML");
    EXPECT_EQ(other.error().cause, "the root element is not a");
}

TEST(XmlTest, EnforcesLimits) {
    auto nested = [](std::size_t depth) {
        std::string body;
        for (std::size_t i = 0; i < depth; ++i)
            body += "<a>";
        for (std::size_t i = 0; i < depth; ++i)
            body += "</a>";
        return body;
    };
    EXPECT_TRUE(parses(nested(xml_depth_max)));
    EXPECT_FALSE(parses(nested(xml_depth_max + 1)));
    std::string many = "<a>";
    for (int i = 0; i < 100'001; ++i)
        many += "<b/>";
    EXPECT_FALSE(parses(many + "</a>"));
}

TEST(XmlTest, ParsesWrittenDocuments) {
    XmlWriter xml("a");
    xml.open("b");
    xml.value("c", "<&>\"'\r\n\t\x01é");
    xml.value("d", std::uint64_t{7});
    xml.flag("e", true);
    auto root = parse_xml(std::move(xml).finish(), "a");
    ASSERT_TRUE(root);
    const auto* element = root->child("b");
    ASSERT_NE(element, nullptr);
    EXPECT_EQ(element->value("c"), "<&>\"'\r\n\t\x01é");
    EXPECT_EQ(element->value("d"), "7");
    EXPECT_EQ(element->value("e"), "true");
}

}  // namespace
}  // namespace integreat::s3
