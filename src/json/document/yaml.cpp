// SPDX-License-Identifier: Apache-2.0
#include "json/document/yaml.h"

#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/text/utf8.h"
#include "json/value/limits.h"

namespace integreat::json {

namespace {

// Offsets become places. yaml-cpp's own columns count bytes, and people count characters.
class Lines {
public:
    explicit Lines(std::string_view text) : text_(text) {
        for (std::size_t at = 0; at < text.size(); ++at) {
            if (text[at] == '\n') starts_.push_back(at + 1);
        }
    }

    Place place(std::size_t offset) {
        offset = std::min(offset, text_.size());
        auto line = std::prev(std::upper_bound(starts_.begin(), starts_.end(), offset));
        // Questions come in the order of the text: going on from the last one keeps a long line linear.
        bool onwards = last_offset_ >= *line && last_offset_ <= offset;
        std::size_t from = onwards ? last_offset_ : *line;
        auto starts_character = [](unsigned char byte) { return (byte & 0xC0) != 0x80; };
        auto between = text_.substr(from, offset - from);
        auto characters = std::count_if(between.begin(), between.end(), starts_character);
        last_column_ = (onwards ? last_column_ : 1) + static_cast<int>(characters);
        last_offset_ = offset;
        return {static_cast<int>(line - starts_.begin()) + 1, last_column_};
    }

    const std::vector<std::size_t>& starts() const { return starts_; }

private:
    std::string_view text_;
    std::vector<std::size_t> starts_{0};
    std::size_t last_offset_ = 0;
    int last_column_ = 1;
};

// Thrown by the builder to leave yaml-cpp's parser in the middle; caught in parse_yaml.
struct Stop {
    Place place;
    std::string message;
};

class Builder final : public YAML::EventHandler {
public:
    Builder(std::string_view text, Lines& lines, Yaml& yaml) : text_(text), lines_(lines), yaml_(yaml) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents_++ == 0) return;
        bool separated = text_.substr(offset(mark), 3) == "---";
        throw Stop{place(mark), separated ? "a file holds one document: remove this \"---\""
                                          : "this does not belong to what is above: check its indentation"};
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        if (expects_key()) throw Stop{place(mark), "a key must be a text"};
        Node node;
        node.place = place(mark);
        check_anchor(mark, anchor);
        add(std::move(node));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw Stop{place(mark), "aliases (*name) are not allowed here: write the value out"};
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        check_anchor(mark, anchor);
        check_tag(mark, tag);
        if (expects_key()) return add_key(mark, value);
        Node node;
        node.kind = Node::Kind::text;
        node.plain = tag == "?";
        node.text = value;
        node.place = place(mark);
        add(std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Node::Kind::list);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Node::Kind::map);
    }
    void OnMapEnd() override { close(); }

private:
    struct Frame {
        Node node;
        std::map<std::string, Place> seen;  // Keys, for telling of duplicates.
        bool has_key = false;
        bool duplicate = false;
        Member next;
    };

    std::size_t offset(const YAML::Mark& mark) const {
        return mark.pos < 0 ? text_.size() : std::min(static_cast<std::size_t>(mark.pos), text_.size());
    }
    Place place(const YAML::Mark& mark) { return lines_.place(offset(mark)); }

    bool expects_key() const {
        return !frames_.empty() && frames_.back().node.kind == Node::Kind::map && !frames_.back().has_key;
    }

    void report(Place place, std::string message) {
        if (yaml_.mistakes.size() >= mistakes_max)
            throw Stop{place, "there are more mistakes than can be listed"};
        yaml_.mistakes.push_back({place, "", std::move(message)});
    }

    void check_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor != 0) report(place(mark), "anchors (&name) are not allowed here: write the value out");
    }

    // yaml-cpp says "?" for nothing and "!" for quotes or a bare exclamation mark.
    void check_tag(const YAML::Mark& mark, const std::string& tag) {
        if (tag.empty() || tag == "?" || tag == "!") return;
        report(place(mark), "tags are not allowed here: put a text in quotes instead");
    }

    void count(Place place) {
        if (++nodes_ > nodes_max) {
            throw Stop{place, "the file has more than " + std::to_string(nodes_max) + " values"};
        }
    }

    void add_key(const YAML::Mark& mark, const std::string& key) {
        Place at = place(mark);
        count(at);
        if (key.size() > key_bytes_max) {
            throw Stop{at, "a key has at most " + std::to_string(key_bytes_max) + " bytes, and this has " +
                               std::to_string(key.size()) + ": is a \":\", a quote or a bracket missing?"};
        }
        Frame& frame = frames_.back();
        frame.has_key = true;
        frame.next.key = key;
        frame.next.place = at;
        auto [earlier, fresh] = frame.seen.emplace(key, at);
        frame.duplicate = !fresh;
        if (!fresh) {
            report(at, "duplicate key " + quoted(key) + ": line " + std::to_string(earlier->second.line) +
                           " has it already");
        }
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
        Place at = place(mark);
        if (expects_key()) throw Stop{at, "a key must be a text"};
        if (frames_.size() >= static_cast<std::size_t>(depth_max)) {
            throw Stop{at, "lists and maps are nested more than " + std::to_string(depth_max) + " deep"};
        }
        check_anchor(mark, anchor);
        check_tag(mark, tag);
        Frame frame;
        frame.node.kind = kind;
        frame.node.place = at;
        frames_.push_back(std::move(frame));
    }

    void close() {
        Node node = std::move(frames_.back().node);
        frames_.pop_back();
        add(std::move(node));
    }

    void add(Node node) {
        count(node.place);
        if (frames_.empty()) {
            yaml_.root = std::move(node);
            return;
        }
        Frame& frame = frames_.back();
        if (frame.node.kind == Node::Kind::list) {
            frame.node.items.push_back(std::move(node));
            return;
        }
        // Where nothing stands, yaml-cpp's mark is already on the next token.
        if (node.kind == Node::Kind::null) node.place = frame.next.place;
        frame.has_key = false;
        if (frame.duplicate) return;
        frame.next.value = std::move(node);
        frame.node.members.push_back(std::move(frame.next));
        frame.next = Member();
    }

    std::string_view text_;
    Lines& lines_;
    Yaml& yaml_;
    std::vector<Frame> frames_;
    std::size_t nodes_ = 0;
    int documents_ = 0;
};

// yaml-cpp's sentences, in words that say what to do.
std::string explain(const std::string& message) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> sentences{{
        {"unknown token", "this character cannot stand here: put the text in quotes"},
        {"illegal map value",
         "a \":\" cannot stand here: check the indentation, or quote a text that has \": \" in it"},
        {"illegal EOF in scalar", "this text in quotes has no end: a quote is missing"},
        {"end of sequence flow not found", "this list has no end: a \"]\" is missing"},
        {"end of map flow not found", "this map has no end: a \"}\" is missing"},
        {"end of map not found", "this line does not fit the indentation of the lines above"},
        {"end of sequence not found", "this line does not fit the indentation of the list above"},
        {"illegal flow end", "a closing bracket without an opening one"},
        {"illegal block entry", "a \"- \" cannot stand here"},
        {"the referenced anchor is not defined",
         "aliases (*name) are not allowed here: quote a text that begins with \"*\""},
    }};
    for (const auto& [theirs, ours] : sentences) {
        if (message.starts_with(theirs)) return std::string(ours);
    }
    return "not valid YAML: " + message;
}

std::optional<Mistake> unreadable_byte(std::string_view text, Lines& lines) {
    if (text.starts_with("\xEF\xBB\xBF")) {
        return Mistake{{1, 1}, "", "the file begins with a byte order mark: save it as UTF-8 without one"};
    }
    if (auto at = invalid_utf8_at(text)) {
        return Mistake{lines.place(*at), "", "the file is not UTF-8 from here on: save it as UTF-8"};
    }
    for (std::size_t at = 0; at < text.size(); ++at) {
        auto byte = static_cast<unsigned char>(text[at]);
        bool line_end = byte == '\n' || (byte == '\r' && text.substr(at + 1).starts_with('\n'));
        if ((byte < 0x20 && byte != '\t' && !line_end) || byte == 0x7f) {
            return Mistake{lines.place(at), "", "a control character cannot stand here"};
        }
    }
    return std::nullopt;
}

// yaml-cpp takes a tab for part of a text and complains elsewhere, if at all.
void check_indentation(std::string_view text, Lines& lines, std::vector<Mistake>& mistakes) {
    for (std::size_t start : lines.starts()) {
        std::size_t content = text.find_first_not_of(" \t", start);
        if (content == text.npos || std::string_view("\n\r#").find(text[content]) != text.npos) {
            continue;
        }
        std::size_t tab = text.substr(start, content - start).find('\t');
        if (tab == text.npos) continue;
        mistakes.push_back({lines.place(start + tab), "", "indentation must be spaces, and this is a tab"});
        if (mistakes.size() >= mistakes_max) return;
    }
}

bool begins_with_directive(std::string_view text, Lines& lines, std::vector<Mistake>& mistakes) {
    for (std::size_t start : lines.starts()) {
        std::string_view line = text.substr(start, text.find('\n', start) - start);
        std::size_t content = line.find_first_not_of(" \t\r");
        if (content == line.npos || line[content] == '#') continue;
        if (line[0] != '%') return false;
        mistakes.push_back({lines.place(start), "", "directives (%) are not allowed here: remove this line"});
        return true;
    }
    return false;
}

void parse_into(Yaml& yaml, std::string_view text, Lines& lines) {
    std::istringstream stream{std::string(text)};
    Builder builder(text, lines, yaml);
    auto stop = [&](Place place, std::string message) {
        yaml.complete = false;
        yaml.mistakes.push_back({place, "", std::move(message)});
    };
    try {
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Stop& reason) {
        stop(reason.place, reason.message);
    } catch (const YAML::Exception& error) {
        std::size_t offset = error.mark.pos < 0 ? text.size() : static_cast<std::size_t>(error.mark.pos);
        stop(lines.place(offset), explain(error.msg));
    }
}

}  // namespace

Yaml parse_yaml(std::string_view text) {
    Yaml yaml;
    yaml.complete = false;
    if (text.size() > document_bytes_max) {
        yaml.mistakes.push_back(
            {{1, 1}, "", "the file is larger than " + std::to_string(document_bytes_max) + " bytes"});
        return yaml;
    }
    Lines lines(text);
    if (auto mistake = unreadable_byte(text, lines)) {
        yaml.mistakes.push_back(std::move(*mistake));
        return yaml;
    }
    check_indentation(text, lines, yaml.mistakes);
    if (!yaml.mistakes.empty() || begins_with_directive(text, lines, yaml.mistakes)) return yaml;
    yaml.complete = true;
    parse_into(yaml, text, lines);
    return yaml;
}

}  // namespace integreat::json
