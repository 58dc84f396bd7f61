// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text/closest_match.h"

namespace integreat::cli {

namespace {

struct Word {
    std::string text;
    std::string description;
};

// What may follow `command`: its subcommands and its options.
std::vector<Word> words_after(const CLI::App& command) {
    std::vector<Word> words;
    auto all = [](const CLI::App*) { return true; };
    for (const auto* below : command.get_subcommands(all))
        words.push_back({below->get_name(), below->get_description()});
    for (const auto* option : command.get_options()) {
        for (const auto& name : option->get_lnames())
            words.push_back({"--" + name, option->get_description()});
    }
    return words;
}

struct Place {
    std::string path;  // "config schema"; empty for the program itself.
    std::vector<Word> words;
};

void collect(const CLI::App& command, const std::string& path, std::vector<Place>& places) {
    places.push_back({path, words_after(command)});
    for (const auto* below : command.get_subcommands([](const CLI::App*) { return true; })) {
        collect(*below, path.empty() ? below->get_name() : path + " " + below->get_name(), places);
    }
}

std::string joined(const std::vector<Word>& words) {
    std::string text;
    for (const auto& word : words)
        text += (text.empty() ? "" : " ") + word.text;
    return text;
}

// The words so far without options name the place; an unknown one completes file names.
std::string bash_script(const std::vector<Place>& places) {
    std::string cases;
    for (const auto& place : places)
        cases += fmt::format("        '{}') words='{}' ;;\n", place.path, joined(place.words));
    return "_integreat() {\n"
           "    local place='' word words\n"
           "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
           "        case \"$word\" in -*) ;; *) place=\"${place:+$place }$word\" ;; esac\n"
           "    done\n"
           "    case \"$place\" in\n" +
           cases +
           "        *) COMPREPLY=($(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\")); return ;;\n"
           "    esac\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
           "}\n"
           "complete -F _integreat integreat\n";
}

std::string quoted_for_fish(std::string text) {
    std::string quoted;
    for (char character : text) {
        if (character == '\'' || character == '\\') quoted += '\\';
        quoted += character == '\n' ? ' ' : character;
    }
    return "'" + quoted + "'";
}

std::string fish_script(const std::vector<Place>& places) {
    std::string script =
        "function __integreat_at\n"
        "    set -l words (commandline -opc | string match -v -- '-*')\n"
        "    test \"$words[2..-1]\" = \"$argv\"\n"
        "end\n";
    for (const auto& place : places) {
        for (const auto& word : place.words) {
            bool option = word.text.starts_with("--");
            script +=
                fmt::format("complete -c integreat {}-n '__integreat_at {}' {} {} -d {}\n",
                            option ? "" : "-f ", place.path, option ? "-l" : "-a",
                            option ? word.text.substr(2) : word.text, quoted_for_fish(word.description));
        }
    }
    return script;
}

}  // namespace

Result<std::string> completion_script(const CLI::App& program, const std::string& shell) {
    std::vector<Place> places;
    collect(program, "", places);
    if (shell == "bash") return bash_script(places);
    if (shell == "zsh") return "autoload -U +X bashcompinit && bashcompinit\n" + bash_script(places);
    if (shell == "fish") return fish_script(places);
    std::vector<std::string> known{"bash", "zsh", "fish"};
    return Error{Fault::invalid,
                 fmt::format("unknown shell \"{}\"{}; completion is made for bash, zsh and fish", shell,
                             did_you_mean(shell, known)),
                 ""};
}

}  // namespace integreat::cli
