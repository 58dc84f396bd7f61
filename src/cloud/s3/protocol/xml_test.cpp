// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/protocol/xml.h"

#include <gtest/gtest.h>

#include "cloud/s3/store/limits.h"

namespace integreat::s3 {
namespace {

bool parses(const std::string& body) {
    return static_cast<bool>(parse_xml(body, "a"));
}

TEST(XmlTest, ParsesElementsAndTheirTexts) {
    auto root = parse_xml(
        "<?xml version=\"1.0\"?><s3:a xmlns:s3=\"x\"><b>1 &amp; &#x32;</b><c><![CDATA[<3>]]></c><d> "
        "</d></s3:a>",
        "a");
    ASSERT_TRUE(root);
    EXPECT_EQ(root->value("b"), "1 & 2");
    EXPECT_EQ(root->value("c"), "<3>");
    EXPECT_EQ(root->value("d"), " ");
    EXPECT_EQ(root->value("e"), "");
    EXPECT_EQ(root->child("e"), nullptr);
}

TEST(XmlTest, RefusesMalformedDocumentsAndOtherRoots) {
    for (const char* body :
         {"", "text", "<a>", "<a></b>", "<b/>", "<a/><a/>", "<a>\xff</a>", "<a><b:/></a>", "<a><b:1/></a>"})
        EXPECT_FALSE(parses(body)) << body;
    EXPECT_TRUE(parses("<a/>"));
}

TEST(XmlTest, RefusesInvalidCharacterReferences) {
    EXPECT_TRUE(parses("<a>&#x1F600;</a>"));
    for (const char* body : {"<a>&#xD800;</a>", "<a>&#x110000;</a>"})
        EXPECT_FALSE(parses(body)) << body;
}

TEST(XmlTest, IgnoresEntityDeclarations) {
    auto root = parse_xml("<!DOCTYPE a [<!ENTITY x \"y\">]><a><b>&x;</b></a>", "a");
    ASSERT_TRUE(root);
    EXPECT_EQ(root->value("b"), "&x;");
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
