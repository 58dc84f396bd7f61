// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/config_watcher.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "cli/runtime/config_loader.h"

namespace integreat::cli {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint32_t events_watched = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                         IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR;

// Returns whether an event concerns a manifest. A mounted Kubernetes ConfigMap replaces "..data" instead of
// its files.
bool is_manifest(std::string_view name) {
    return (name.ends_with(".yaml") && !name.starts_with('.')) || name == "..data";
}

}  // namespace

class ConfigWatcher::FolderEvents {
public:
    explicit FolderEvents(std::filesystem::path folder)
        : folder_(std::move(folder)),
          inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
          stop_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

    bool open() const { return inotify_.get() >= 0 && stop_.get() >= 0; }

    // Watches the existing folders. Returns false if the folder of integreat.yaml cannot be watched.
    bool watch_folders() {
        auto paths = find_configuration_paths(folder_);
        apps_ = paths.apps_folder.lexically_normal();
        if (!apps_.has_filename()) apps_ = apps_.parent_path();
        bool watched = add(folder_, root_watch_);
        // Watches the parent as well, in case the folder of manifests is created later.
        std::filesystem::path parent = apps_.has_parent_path() ? apps_.parent_path() : ".";
        add(parent, parent_watch_);
        add(apps_, apps_watch_);
        return watched;
    }

    void stop() {
        std::uint64_t one = 1;
        [[maybe_unused]] auto written = ::write(stop_.get(), &one, sizeof one);
    }

    enum class Event { stop, change, timeout };

    // Waits for an event that concerns the configuration; indefinitely without a timeout.
    Event wait(std::optional<milliseconds> timeout) {
        auto until = steady_clock::now() + timeout.value_or(milliseconds(0));
        while (true) {
            auto remaining = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
            std::array<pollfd, 2> pollfds{{{inotify_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
            int ready = ::poll(pollfds.data(), pollfds.size(),
                               timeout ? static_cast<int>(std::max(remaining, 0l)) : -1);
            if (ready < 0 && errno != EINTR) return Event::stop;
            if (pollfds[1].revents != 0) return Event::stop;
            if (ready > 0 && drain()) return Event::change;
            if (timeout && steady_clock::now() >= until) return Event::timeout;
        }
    }

private:
    // Stores the watch descriptor in `slot`; a folder that is watched twice has one descriptor.
    bool add(const std::filesystem::path& folder, int& slot) {
        slot = ::inotify_add_watch(inotify_.get(), folder.c_str(), events_watched);
        return slot >= 0;
    }

    // Reads all queued events. Returns whether one of them is relevant.
    bool drain() {
        bool any = false;
        alignas(inotify_event) std::array<char, 16 * 1024> buffer;
        while (true) {
            auto count = ::read(inotify_.get(), buffer.data(), buffer.size());
            if (count <= 0) return any;
            for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
                inotify_event event;
                std::memcpy(&event, buffer.data() + at, sizeof event);
                const char* name = buffer.data() + at + sizeof event;
                any = is_relevant(event, event.len > 0 ? std::string_view(name) : std::string_view()) || any;
                at += sizeof event + event.len;
            }
        }
    }

    bool is_relevant(const inotify_event& event, std::string_view name) const {
        if ((event.mask & IN_Q_OVERFLOW) != 0) return true;
        if (event.wd == apps_watch_ && (name.empty() || is_manifest(name))) return true;
        if (event.wd == root_watch_ && name == "integreat.yaml") return true;
        return event.wd == parent_watch_ && name == apps_.filename().string();
    }

    std::filesystem::path folder_;
    std::filesystem::path apps_;
    UniqueFd inotify_;
    UniqueFd stop_;
    int root_watch_ = -1;
    int parent_watch_ = -1;
    int apps_watch_ = -1;
};

Result<std::unique_ptr<ConfigWatcher>> ConfigWatcher::start(std::filesystem::path folder,
                                                            std::function<void()> changed,
                                                            ConfigWatcherSettings settings) {
    auto events = std::make_unique<FolderEvents>(folder);
    if (!events->open() || !events->watch_folders()) {
        return Error{Fault::unavailable, folder.string() + " cannot be watched for changes",
                     std::generic_category().message(errno)};
    }
    return std::unique_ptr<ConfigWatcher>(new ConfigWatcher(std::move(events), std::move(changed), settings));
}

ConfigWatcher::ConfigWatcher(std::unique_ptr<FolderEvents> events, std::function<void()> changed,
                             ConfigWatcherSettings settings)
    : events_(std::move(events)),
      changed_(std::move(changed)),
      settings_(settings),
      thread_([this] { run(); }) {}

ConfigWatcher::~ConfigWatcher() {
    events_->stop();
    thread_.join();
}

void ConfigWatcher::run() {
    using Event = FolderEvents::Event;
    while (events_->wait(std::nullopt) == Event::change) {
        auto deadline = steady_clock::now() + settings_.max_delay;
        Event event = Event::change;
        while (event == Event::change && steady_clock::now() < deadline)
            event = events_->wait(settings_.quiet_period);
        if (event == Event::stop) return;
        events_->watch_folders();  // Before the files are read, so that no change is missed.
        changed_();
    }
}

}  // namespace integreat::cli
