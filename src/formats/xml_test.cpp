// SPDX-License-Identifier: Apache-2.0
#include "formats/xml.h"

#include <gtest/gtest.h>

namespace integreat::formats {
namespace {

std::string xml_error(const std::string& document, const XmlLimits& limits = {}) {
    auto root = parse_xml(document, limits);
    return root ? "valid" : root.error().message;
}

TEST(Xml, ParsesElementsAndTheirTexts) {
    auto root = parse_xml(
        "<?xml version=\"1.0\"?><s3:a xmlns:s3=\"x\"><b>1 &amp; &#x32;</b><c><![CDATA[<3>]]></c><d> "
        "</d></s3:a>");
    ASSERT_TRUE(root);
    EXPECT_EQ(root->name, "a");
    EXPECT_EQ(root->value("b"), "1 & 2");
    EXPECT_EQ(root->value("c"), "<3>");
    EXPECT_EQ(root->value("d"), " ");
    EXPECT_EQ(root->value("e"), "");
    EXPECT_EQ(root->child("e"), nullptr);
}

TEST(Xml, FindsDescendantsByTheirPath) {
    auto root = parse_xml("<r><Role><Tags/><Arn>a</Arn><Arn>b</Arn></Role><Role><Id>c</Id></Role></r>");
    ASSERT_TRUE(root);
    EXPECT_EQ(root->value("Role/Arn"), "a");
    EXPECT_EQ(root->child("Role/Id"), nullptr) << "only the first of each name is searched";
    EXPECT_EQ(root->child("Role/Tags/Key"), nullptr);
    EXPECT_EQ(root->child("Role/"), nullptr);
    EXPECT_EQ(root->child(""), nullptr);
}

TEST(Xml, SaysWhyADocumentIsInvalid) {
    EXPECT_EQ(xml_error("<a/>"), "valid");
    EXPECT_EQ(xml_error("<a></b>"), "invalid XML: Start-end tags mismatch (byte 5)");
    EXPECT_EQ(xml_error("<a/><a/>"), "invalid XML: more than one root element");
    EXPECT_EQ(xml_error("<a>\xff</a>"), "invalid XML: not UTF-8");
    EXPECT_EQ(xml_error("<a>&#xD800;</a>"), "invalid XML: an invalid character reference");
    for (const char* document : {"<a><b:/></a>", "<a><b:1/></a>"})
        EXPECT_EQ(xml_error(document), "invalid XML: an element with an invalid name") << document;
    for (const char* document : {"", "text", "<a>"})
        EXPECT_NE(xml_error(document), "valid") << document;
}

TEST(Xml, IgnoresEntityDeclarations) {
    auto root = parse_xml("<!DOCTYPE a [<!ENTITY x \"y\">]><a><b>&x;</b></a>");
    ASSERT_TRUE(root);
    EXPECT_EQ(root->value("b"), "&x;");
}

TEST(Xml, EnforcesLimits) {
    EXPECT_EQ(xml_error("<a><b/></a>", {.depth_max = 2}), "valid");
    EXPECT_EQ(xml_error("<a><b><c/></b></a>", {.depth_max = 2}), "invalid XML: more than 2 levels");
    EXPECT_EQ(xml_error("<a><b/><b/></a>", {.elements_max = 3}), "valid");
    EXPECT_EQ(xml_error("<a><b/><b/><b/></a>", {.elements_max = 3}), "invalid XML: more than 3 elements");
}

}  // namespace
}  // namespace integreat::formats
