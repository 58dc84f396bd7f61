// SPDX-License-Identifier: Apache-2.0
#include "http/routing/attachments.h"

#include <string>

#include <gtest/gtest.h>

namespace integreat::http {
namespace {

TEST(Attachments, AreFoundByTheirType) {
    Attachments attachments;
    EXPECT_EQ(attachments.find<int>(), nullptr);
    int number = 1;
    std::string text;
    const std::string constant;
    attachments.set(&number);
    attachments.set(&text);
    attachments.set(&constant);
    EXPECT_EQ(attachments.find<int>(), &number);
    EXPECT_EQ(attachments.find<std::string>(), &text);
    EXPECT_EQ(attachments.find<const std::string>(), &constant);
    EXPECT_EQ(attachments.find<long>(), nullptr);
}

TEST(Attachments, AreReplacedAndDetached) {
    Attachments attachments;
    int first = 1, second = 2;
    long other = 3;
    attachments.set(&first);
    attachments.set(&other);
    attachments.set(&second);
    EXPECT_EQ(attachments.find<int>(), &second);
    attachments.set<int>(nullptr);
    EXPECT_EQ(attachments.find<int>(), nullptr);
    EXPECT_EQ(attachments.find<long>(), &other);
    attachments.set(&first);
    EXPECT_EQ(attachments.find<int>(), &first);
}

TEST(Attachments, KeepOneObjectAliveUntilTheyAreCleared) {
    Attachments attachments;
    auto object = std::make_shared<const std::string>("kept");
    std::weak_ptr<const std::string> observer = object;
    attachments.keep(std::move(object));
    ASSERT_TRUE(attachments.find<const std::string>());
    EXPECT_EQ(*attachments.find<const std::string>(), "kept");
    attachments.keep(std::make_shared<const std::string>("another"));
    EXPECT_TRUE(observer.expired());
    EXPECT_EQ(*attachments.find<const std::string>(), "another");
    attachments.clear();
    EXPECT_EQ(attachments.find<const std::string>(), nullptr);
}

TEST(AttachmentsDeathTest, HaveALimitedNumberOfTypes) {
    Attachments attachments;
    char one = 0;
    short two = 0;
    int three = 0;
    long four = 0;
    float five = 0;
    attachments.set(&one);
    attachments.set(&two);
    attachments.set(&three);
    attachments.set(&four);
    EXPECT_DEATH(attachments.set(&five), "");
}

}  // namespace
}  // namespace integreat::http
