// SPDX-License-Identifier: Apache-2.0
#include "json/binding/reader.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "json/document/yaml.h"

namespace integreat::json {

namespace {

struct Door {
    std::string name;
    std::string colour = "white";
    std::optional<int> locks;
};

template <class Visitor>
void fields(Visitor& visit, Door& door) {
    visit("colour", door.colour, "Colour of both sides.", {.choices = {"white", "red", "green"}});
    visit("locks", door.locks, "Number of locks.", {.minimum = 0, .maximum = 3});
}

std::optional<std::string> check_street(std::string_view text) {
    return text.ends_with("street") ? std::nullopt : std::optional<std::string>("must end in street");
}

struct House {
    std::string title = "untitled";
    std::string street;
    std::uint16_t number = 1;
    bool open = false;
    std::size_t attic = 1024;
    std::chrono::seconds visit{30};
    std::chrono::milliseconds ring{250};
    std::vector<std::string> people;
    std::vector<Door> doors;
    std::vector<Door> gates;
    std::string url;
    Secret alarm;
};

template <class Visitor>
void fields(Visitor& visit, House& house) {
    visit("title", house.title, "Title.", {.required = true, .max_length = 20});
    visit("street", house.street, "Street.", {.check = check_street});
    visit("number", house.number, "House number.", {.minimum = 1});
    visit("open", house.open, "Whether it is open.");
    visit("attic", house.attic, "Size of the attic.",
          {.minimum = 1024, .maximum = 10 * 1024 * 1024, .bytes = true});
    visit("visit", house.visit, "Duration of a visit.", {.minimum = 1'000, .maximum = 60'000});
    visit("ring", house.ring, "Duration of a ring.");
    visit("people", house.people, "Residents.", {.max_items = 3});
    visit.map_of("doors", house.doors, &Door::name, "Doors by name.",
                 {.max_items = 2, .check = check_street});
    visit("gates", house.gates, "Gates in order.", {.may_be_empty = true});
    visit("url", house.url, "URL.", {.check = check_street, .reference = true});
    visit("alarm", house.alarm, "Alarm code.", {.check = check_street, .reference = true});
}

const Environment environment = [](std::string_view name) -> std::optional<std::string> {
    if (name == "STREET") return "long street";
    if (name == "SECRET") return "hunter2";
    return std::nullopt;
};

std::string read_errors(std::string_view yaml) {
    House house;
    std::string all;
    for (const auto& error : read(parse_yaml(yaml).root, house, environment)) {
        all += std::to_string(error.location.line) + ":" + std::to_string(error.location.column) + " " +
               error.message + "\n";
    }
    return all;
}

}  // namespace

TEST(Read, FillsEveryKindOfMember) {
    House house;
    auto errors = read(parse_yaml(R"(
title: no
number: 0042x
)")
                           .root,
                       house, environment);
    EXPECT_EQ(house.title, "no");
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0].pointer, "/number");

    errors = read(parse_yaml(R"(
title: "12"
street: the street
number: 65535
open: true
attic: 10MiB
visit: 1m
ring: 1500ms
people: [ann, no, "1"]
doors: {"a street": {colour: red, locks: 2}, "b street": {}}
gates: [{colour: green}]
url: env:STREET
alarm: env:STREET
)")
                      .root,
                  house, environment);
    EXPECT_TRUE(errors.empty()) << errors[0].message;
    EXPECT_EQ(house.title, "12");
    EXPECT_EQ(house.number, 65535);
    EXPECT_TRUE(house.open);
    EXPECT_EQ(house.attic, 10u * 1024 * 1024);
    EXPECT_EQ(house.visit, std::chrono::seconds(60));
    EXPECT_EQ(house.ring, std::chrono::milliseconds(1500));
    EXPECT_EQ(house.people, (std::vector<std::string>{"ann", "no", "1"}));
    ASSERT_EQ(house.doors.size(), 2u);
    EXPECT_EQ(house.doors[0].name, "a street");
    EXPECT_EQ(house.doors[0].locks, 2);
    EXPECT_FALSE(house.doors[1].locks);
    EXPECT_EQ(house.gates.at(0).colour, "green");
    EXPECT_EQ(house.url, "long street");
    EXPECT_EQ(house.alarm.reveal(), "long street");
}

TEST(Read, ReportsEveryErrorWithItsLocation) {
    EXPECT_EQ(read_errors(R"(titel: x
street: avenue
number: 70000
open: yes
attic: 10
visit: 30
ring: soon
people: [a, b, a]
doors:
  x: {color: red}
gates:
  - colour: gren
    locks: 4
)"),
              "1:1 the key \"title\" is missing\n"
              "2:9 street must end in street, not \"avenue\"\n"
              "3:9 number must be 1 to 65535, not 70000\n"
              "4:7 open must be true or false, not \"yes\"\n"
              "5:8 attic must be 1KiB to 10MiB, not 10B\n"
              "6:8 visit must be a duration such as 250ms, 30s, 5m, 12h or 7d (with its unit), not \"30\"\n"
              "7:7 ring must be a duration such as 250ms, 30s, 5m, 12h or 7d, not \"soon\"\n"
              "8:16 people has \"a\" twice\n"
              "10:3 a name in doors must end in street, not \"x\"\n"
              "10:7 unknown key \"color\", did you mean \"colour\"?\n"
              "12:13 colour must be one of white, red, green, not \"gren\", did you mean \"green\"?\n"
              "13:12 locks must be 0 to 3, not 4\n"
              "1:1 unknown key \"titel\", did you mean \"title\"?\n");
}

TEST(Read, NamesTheExpectedType) {
    EXPECT_EQ(read_errors(R"(title: [a]
street: {}
number: "12"
open: "true"
attic: [1]
visit: 1500ms
ring: {}
people: ann
doors: []
gates: [x]
url:
alarm: []
)"),
              "1:8 title must be a text, not a list\n"
              "2:9 street must be a text, not a map\n"
              "3:9 number must be a whole number (without quotes), not \"12\"\n"
              "4:7 open must be true or false, not \"true\"\n"
              "5:8 attic must be a size such as 64KiB or 10MiB, not a list\n"
              "6:8 visit must be whole seconds, not \"1500ms\"\n"
              "7:7 ring must be a duration such as 250ms, 30s, 5m, 12h or 7d, not a map\n"
              "8:9 people must be a list: write [ann]\n"
              "9:8 doors must be a map (key: value), not a list\n"
              "10:9 gates must be a map (key: value), not a text\n"
              "11:1 url has no value: give it one, or leave the key out\n"
              "12:8 alarm must be a text, not a list\n");
}

TEST(Read, EnforcesTheLimitsOfTextsListsAndMaps) {
    EXPECT_EQ(read_errors(R"(title: 123456789 123456789 1
street: ""
people: [a, b, c, d]
doors: {a street: {}, b street: {}, c street: {}}
gates: []
)"),
              "1:8 title must not be longer than 20 bytes\n"
              "2:9 street must not be empty\n"
              "3:9 people must have at most 3 items, not 4\n"
              "4:8 doors must have at most 2 entries, not 3\n");
    EXPECT_EQ(read_errors("title: \"a\\nb\"\npeople: []\ndoors: {}\n"),
              "1:8 title must not contain line breaks or control characters\n"
              "2:9 people must not be empty: leave the key out for the default\n"
              "3:8 doors must not be empty: leave the key out instead\n");
}

TEST(Read, NeverRepeatsSecretsOrEnvironmentVariables) {
    EXPECT_EQ(read_errors("title: a\nurl: env:SECRET\nalarm: env:SECRET\n"),
              "2:6 url must end in street\n"
              "3:8 alarm must end in street\n");
    for (auto written : {"hunter2", "env:SECRET:hunter2", "a street"}) {
        EXPECT_EQ(read_errors("title: a\nalarm: " + std::string(written)),
                  "2:8 alarm is a secret and must not be stored in a file: write env:NAME\n");
    }
    EXPECT_EQ(read_errors("title: a\nalarm: env:hunter2\nurl: env:MISSING\n"),
              "3:6 the environment variable MISSING is not set: set it, or write env:MISSING:DEFAULT\n"
              "2:8 alarm must refer to a variable as env:NAME or env:NAME:default, the name in capitals\n");
}

TEST(Read, ReadsTheBodyOfARequestWithPointers) {
    House house;
    auto body = boost::json::parse(
        R"({"title": "x", "number": "5", "gates": [{"locks": 1.5, "a/b": 1}], "open": 1})");

    auto errors = read(body, house);

    ASSERT_EQ(errors.size(), 4u);
    EXPECT_EQ(errors[0].pointer, "/number");
    EXPECT_EQ(errors[0].message, "number must be a whole number (without quotes), not \"5\"");
    EXPECT_EQ(errors[1].pointer, "/open");
    EXPECT_EQ(errors[1].message, "open must be true or false, not a number");
    EXPECT_EQ(errors[2].pointer, "/gates/0/locks");
    EXPECT_EQ(errors[2].message, "locks must be a whole number, not \"1.5\"");
    EXPECT_EQ(errors[3].pointer, "/gates/0/a~1b");
    EXPECT_EQ(errors[3].message, "unknown key \"a/b\"");
}

TEST(Read, RejectsABodyThatIsNotAnObjectAndReferencesInOne) {
    House house;
    auto errors = read(boost::json::parse("[]"), house);
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0].message, "the document must be a map (key: value), not a list");

    errors = read(boost::json::parse(R"({"title": "x", "url": "env:PATH"})"), house);
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0].message, "url cannot refer to the environment here");
}

TEST(Read, ReportsAtMostAThousandErrors) {
    std::string yaml = "title: x\n";
    for (std::size_t i = 0; i < 2 * errors_max; ++i)
        yaml += "k" + std::to_string(i) + ": 1\n";
    House house;
    auto errors = read(parse_yaml(yaml).root, house);
    EXPECT_EQ(errors.size(), 1u);  // The map itself has too many entries.
    EXPECT_EQ(errors[0].message, "the document must have at most 1000 entries, not 2001");
}

}  // namespace integreat::json
