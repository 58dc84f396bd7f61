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

namespace integreat::json {

namespace {

// Converts offsets to source locations. yaml-cpp's own columns count bytes; editors count characters.
class LineIndex {
public:
    explicit LineIndex(std::string_view text) : text_(text) {
        for (std::size_t at = 0; at < text.size(); ++at) {
            if (text[at] == '\n') starts_.push_back(at + 1);
        }
    }

    SourceLocation locate(std::size_t offset) {
        offset = std::min(offset, text_.size());
        auto line = std::prev(std::upper_bound(starts_.begin(), starts_.end(), offset));
        // Offsets arrive in ascending order: continuing from the last one keeps a long line linear.
        bool continues = last_offset_ >= *line && last_offset_ <= offset;
        std::size_t from = continues ? last_offset_ : *line;
        auto starts_character = [](unsigned char byte) { return (byte & 0xC0) != 0x80; };
        auto between = text_.substr(from, offset - from);
        auto characters = std::count_if(between.begin(), between.end(), starts_character);
        last_column_ = (continues ? last_column_ : 1) + static_cast<int>(characters);
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

// Thrown by TreeBuilder to abort yaml-cpp's parser; caught in parse_into.
struct ParseAborted {
    SourceLocation location;
    std::string message;
};

class TreeBuilder final : public YAML::EventHandler {
public:
    TreeBuilder(std::string_view text, LineIndex& lines, YamlDocument& document)
        : text_(text), lines_(lines), document_(document) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents_++ == 0) return;
        bool separated = text_.substr(offset(mark), 3) == "---";
        throw ParseAborted{locate(mark),
                           separated ? "a file holds one document: remove this \"---\""
                                     : "this does not continue the value above: check the indentation"};
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        if (expects_key()) throw ParseAborted{locate(mark), "a key must be a text"};
        Node node;
        node.location = locate(mark);
        check_anchor(mark, anchor);
        add(std::move(node));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw ParseAborted{locate(mark), "aliases (*name) are not allowed here: write the value out"};
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
        node.location = locate(mark);
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
        std::map<std::string, SourceLocation> keys;  // Location of each key, to report duplicates.
        bool has_key = false;
        bool duplicate = false;
        Member member;
    };

    std::size_t offset(const YAML::Mark& mark) const {
        return mark.pos < 0 ? text_.size() : std::min(static_cast<std::size_t>(mark.pos), text_.size());
    }
    SourceLocation locate(const YAML::Mark& mark) { return lines_.locate(offset(mark)); }

    bool expects_key() const {
        return !frames_.empty() && frames_.back().node.kind == Node::Kind::map && !frames_.back().has_key;
    }

    void report(SourceLocation location, std::string message) {
        if (document_.errors.size() >= errors_max)
            throw ParseAborted{location, "there are more errors than can be listed"};
        document_.errors.push_back({location, "", std::move(message)});
    }

    void check_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor != 0) report(locate(mark), "anchors (&name) are not allowed here: write the value out");
    }

    // yaml-cpp passes "?" for no tag and "!" for quotes or a bare exclamation mark.
    void check_tag(const YAML::Mark& mark, const std::string& tag) {
        if (tag.empty() || tag == "?" || tag == "!") return;
        report(locate(mark), "tags are not allowed here: put a text in quotes instead");
    }

    void count(SourceLocation location) {
        if (++nodes_ > nodes_max) {
            throw ParseAborted{location, "the file has more than " + std::to_string(nodes_max) + " values"};
        }
    }

    void add_key(const YAML::Mark& mark, const std::string& key) {
        SourceLocation location = locate(mark);
        count(location);
        if (key.size() > key_bytes_max) {
            throw ParseAborted{location, "a key has at most " + std::to_string(key_bytes_max) +
                                             " bytes, and this has " + std::to_string(key.size()) +
                                             ": check for a missing \":\", quote or bracket"};
        }
        Frame& frame = frames_.back();
        frame.has_key = true;
        frame.member.key = key;
        frame.member.location = location;
        auto [earlier, inserted] = frame.keys.emplace(key, location);
        frame.duplicate = !inserted;
        if (!inserted) {
            report(location, "duplicate key " + quoted(key) + ": first used in line " +
                                 std::to_string(earlier->second.line));
        }
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
        SourceLocation location = locate(mark);
        if (expects_key()) throw ParseAborted{location, "a key must be a text"};
        if (frames_.size() >= static_cast<std::size_t>(depth_max)) {
            throw ParseAborted{location,
                               "lists and maps are nested more than " + std::to_string(depth_max) + " deep"};
        }
        check_anchor(mark, anchor);
        check_tag(mark, tag);
        Frame frame;
        frame.node.kind = kind;
        frame.node.location = location;
        frames_.push_back(std::move(frame));
    }

    void close() {
        Node node = std::move(frames_.back().node);
        frames_.pop_back();
        add(std::move(node));
    }

    void add(Node node) {
        count(node.location);
        if (frames_.empty()) {
            document_.root = std::move(node);
            return;
        }
        Frame& frame = frames_.back();
        if (frame.node.kind == Node::Kind::list) {
            frame.node.items.push_back(std::move(node));
            return;
        }
        // For a missing value, yaml-cpp's mark is already on the next token.
        if (node.kind == Node::Kind::null) node.location = frame.member.location;
        frame.has_key = false;
        if (frame.duplicate) return;
        frame.member.value = std::move(node);
        frame.node.members.push_back(std::move(frame.member));
        frame.member = Member();
    }

    std::string_view text_;
    LineIndex& lines_;
    YamlDocument& document_;
    std::vector<Frame> frames_;
    std::size_t nodes_ = 0;
    int documents_ = 0;
};

// Translates yaml-cpp's messages into sentences that say what to do.
std::string explain_yaml_error(const std::string& message) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> messages{{
        {"unknown token", "this character is not allowed here: put the text in quotes"},
        {"illegal map value",
         "a \":\" is not allowed here: check the indentation, or quote a text that has \": \" in it"},
        {"illegal EOF in scalar", "this text in quotes has no end: a quote is missing"},
        {"end of sequence flow not found", "this list has no end: a \"]\" is missing"},
        {"end of map flow not found", "this map has no end: a \"}\" is missing"},
        {"end of map not found", "this line does not fit the indentation of the lines above"},
        {"end of sequence not found", "this line does not fit the indentation of the list above"},
        {"illegal flow end", "a closing bracket without an opening one"},
        {"illegal block entry", "a \"- \" is not allowed here"},
        {"the referenced anchor is not defined",
         "aliases (*name) are not allowed here: quote a text that begins with \"*\""},
    }};
    for (const auto& [original, translation] : messages) {
        if (message.starts_with(original)) return std::string(translation);
    }
    return "not valid YAML: " + message;
}

std::optional<ValidationError> check_bytes(std::string_view text, LineIndex& lines) {
    if (text.starts_with("\xEF\xBB\xBF")) {
        return ValidationError{
            {1, 1}, "", "the file begins with a byte order mark: save it as UTF-8 without one"};
    }
    if (auto at = find_invalid_utf8(text)) {
        return ValidationError{lines.locate(*at), "", "the file is not UTF-8 from here on: save it as UTF-8"};
    }
    for (std::size_t at = 0; at < text.size(); ++at) {
        auto byte = static_cast<unsigned char>(text[at]);
        bool line_end = byte == '\n' || (byte == '\r' && text.substr(at + 1).starts_with('\n'));
        if ((byte < 0x20 && byte != '\t' && !line_end) || byte == 0x7f) {
            return ValidationError{lines.locate(at), "", "a control character is not allowed here"};
        }
    }
    return std::nullopt;
}

// Reports tabs in indentation. yaml-cpp reads them as part of a text and reports another location, if any.
void check_indentation(std::string_view text, LineIndex& lines, std::vector<ValidationError>& errors) {
    for (std::size_t start : lines.starts()) {
        std::size_t content = text.find_first_not_of(" \t", start);
        if (content == text.npos || std::string_view("\n\r#").find(text[content]) != text.npos) {
            continue;
        }
        std::size_t tab = text.substr(start, content - start).find('\t');
        if (tab == text.npos) continue;
        errors.push_back({lines.locate(start + tab), "", "indentation must be spaces, and this is a tab"});
        if (errors.size() >= errors_max) return;
    }
}

bool report_directive(std::string_view text, LineIndex& lines, std::vector<ValidationError>& errors) {
    for (std::size_t start : lines.starts()) {
        std::string_view line = text.substr(start, text.find('\n', start) - start);
        std::size_t content = line.find_first_not_of(" \t\r");
        if (content == line.npos || line[content] == '#') continue;
        if (line[0] != '%') return false;
        errors.push_back({lines.locate(start), "", "directives (%) are not allowed here: remove this line"});
        return true;
    }
    return false;
}

void parse_into(YamlDocument& document, std::string_view text, LineIndex& lines) {
    std::istringstream stream{std::string(text)};
    TreeBuilder builder(text, lines, document);
    auto abort = [&](SourceLocation location, std::string message) {
        document.complete = false;
        document.errors.push_back({location, "", std::move(message)});
    };
    try {
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const ParseAborted& aborted) {
        abort(aborted.location, aborted.message);
    } catch (const YAML::Exception& error) {
        std::size_t offset = error.mark.pos < 0 ? text.size() : static_cast<std::size_t>(error.mark.pos);
        abort(lines.locate(offset), explain_yaml_error(error.msg));
    }
}

}  // namespace

YamlDocument parse_yaml(std::string_view text) {
    YamlDocument document;
    document.complete = false;
    if (text.size() > document_bytes_max) {
        document.errors.push_back(
            {{1, 1}, "", "the file is larger than " + std::to_string(document_bytes_max) + " bytes"});
        return document;
    }
    LineIndex lines(text);
    if (auto error = check_bytes(text, lines)) {
        document.errors.push_back(std::move(*error));
        return document;
    }
    check_indentation(text, lines, document.errors);
    if (!document.errors.empty() || report_directive(text, lines, document.errors)) return document;
    document.complete = true;
    parse_into(document, text, lines);
    return document;
}

}  // namespace integreat::json
