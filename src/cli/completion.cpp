// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text/closest_match.h"

namespace integreat::cli {

namespace {

struct Candidate {
    std::string text;
    std::string description;
};

// Returns the subcommands and options of `command`.
std::vector<Candidate> list_candidates(const CLI::App& command) {
    std::vector<Candidate> candidates;
    auto all = [](const CLI::App*) { return true; };
    for (const auto* subcommand : command.get_subcommands(all))
        candidates.push_back({subcommand->get_name(), subcommand->get_description()});
    for (const auto* option : command.get_options()) {
        for (const auto& name : option->get_lnames())
            candidates.push_back({"--" + name, option->get_description()});
    }
    return candidates;
}

// A command with its completion candidates.
struct CompletionContext {
    std::string path;  // "config schema"; empty for the program itself.
    std::vector<Candidate> candidates;
};

void collect(const CLI::App& command, const std::string& path, std::vector<CompletionContext>& contexts) {
    contexts.push_back({path, list_candidates(command)});
    for (const auto* subcommand : command.get_subcommands([](const CLI::App*) { return true; })) {
        collect(*subcommand, path.empty() ? subcommand->get_name() : path + " " + subcommand->get_name(),
                contexts);
    }
}

std::string join_texts(const std::vector<Candidate>& candidates) {
    std::string text;
    for (const auto& candidate : candidates)
        text += (text.empty() ? "" : " ") + candidate.text;
    return text;
}

// Generates the bash script. The words without options select the command; for an unknown command, file names
// are completed.
std::string bash_script(const std::vector<CompletionContext>& contexts) {
    std::string cases;
    for (const auto& context : contexts)
        cases += fmt::format("        '{}') words='{}' ;;\n", context.path, join_texts(context.candidates));
    return "_integreat() {\n"
           "    local path='' word words\n"
           "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
           "        case \"$word\" in -*) ;; *) path=\"${path:+$path }$word\" ;; esac\n"
           "    done\n"
           "    case \"$path\" in\n" +
           cases +
           "        *) COMPREPLY=($(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\")); return ;;\n"
           "    esac\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
           "}\n"
           "complete -F _integreat integreat\n";
}

std::string quote_for_fish(std::string text) {
    std::string quoted;
    for (char character : text) {
        if (character == '\'' || character == '\\') quoted += '\\';
        quoted += character == '\n' ? ' ' : character;
    }
    return "'" + quoted + "'";
}

std::string fish_script(const std::vector<CompletionContext>& contexts) {
    std::string script =
        "function __integreat_at\n"
        "    set -l words (commandline -opc | string match -v -- '-*')\n"
        "    test \"$words[2..-1]\" = \"$argv\"\n"
        "end\n";
    for (const auto& context : contexts) {
        for (const auto& candidate : context.candidates) {
            bool option = candidate.text.starts_with("--");
            script += fmt::format("complete -c integreat {}-n '__integreat_at {}' {} {} -d {}\n",
                                  option ? "" : "-f ", context.path, option ? "-l" : "-a",
                                  option ? candidate.text.substr(2) : candidate.text,
                                  quote_for_fish(candidate.description));
        }
    }
    return script;
}

}  // namespace

Result<std::string> completion_script(const CLI::App& program, const std::string& shell) {
    std::vector<CompletionContext> contexts;
    collect(program, "", contexts);
    if (shell == "bash") return bash_script(contexts);
    if (shell == "zsh") return "autoload -U +X bashcompinit && bashcompinit\n" + bash_script(contexts);
    if (shell == "fish") return fish_script(contexts);
    std::vector<std::string> known{"bash", "zsh", "fish"};
    return Error{Fault::invalid,
                 fmt::format("unknown shell \"{}\"{}; the supported shells are bash, zsh and fish", shell,
                             did_you_mean(shell, known)),
                 ""};
}

void add_completion_command(CLI::App& app, CommandContext& context) {
    auto* command =
        app.add_subcommand("completion", "Generate shell completion: source <(integreat completion bash)");
    auto shell = std::make_shared<std::string>();
    command->add_option("SHELL", *shell, "Shell: bash, zsh or fish")->required();
    set_action(context, *command, [&app, &context, shell] {
        auto script = completion_script(app, *shell);
        if (script) {
            context.out << *script;
            return exit_success;
        }
        print_error("completion", script.error(), context.err);
        return exit_usage;
    });
}

}  // namespace integreat::cli
