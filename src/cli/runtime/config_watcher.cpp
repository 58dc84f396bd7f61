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

#include "cli/runtime/config_loader.h"

namespace integreat::cli {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint32_t events_watched = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                         IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR;

// A file descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    int number() const { return number_; }

private:
    int number_;
};

// "..data" is what a mounted Kubernetes ConfigMap swaps instead of its files.
bool is_manifest(std::string_view name) {
    return (name.ends_with(".yaml") && !name.starts_with('.')) || name == "..data";
}

}  // namespace

class Watch::Notices {
public:
    explicit Notices(std::filesystem::path folder)
        : folder_(std::move(folder)),
          inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
          stop_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

    bool open() const { return inotify_.number() >= 0 && stop_.number() >= 0; }

    // Watches what is there now. False if not even the folder of integreat.yaml can be watched.
    bool follow() {
        auto place = place_of_configuration(folder_);
        apps_ = place.apps_folder.lexically_normal();
        if (!apps_.has_filename()) apps_ = apps_.parent_path();
        bool followed = add(folder_, root_);
        // Where the folder of manifests would appear, if it is not there.
        std::filesystem::path above = apps_.has_parent_path() ? apps_.parent_path() : ".";
        add(above, above_);
        add(apps_, apps_watch_);
        return followed;
    }

    void stop() {
        std::uint64_t one = 1;
        [[maybe_unused]] auto written = ::write(stop_.number(), &one, sizeof one);
    }

    enum class Wake { stop, change, timeout };

    // Waits for something that concerns the configuration; for ever without a timeout.
    Wake wait(std::optional<milliseconds> timeout) {
        auto until = steady_clock::now() + timeout.value_or(milliseconds(0));
        while (true) {
            auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
            std::array<pollfd, 2> waits{{{inotify_.number(), POLLIN, 0}, {stop_.number(), POLLIN, 0}}};
            int ready =
                ::poll(waits.data(), waits.size(), timeout ? static_cast<int>(std::max(left, 0l)) : -1);
            if (ready < 0 && errno != EINTR) return Wake::stop;
            if (waits[1].revents != 0) return Wake::stop;
            if (ready > 0 && drain()) return Wake::change;
            if (timeout && steady_clock::now() >= until) return Wake::timeout;
        }
    }

private:
    // The number of the watch goes to `slot`; the same folder watched twice has one number.
    bool add(const std::filesystem::path& folder, int& slot) {
        slot = ::inotify_add_watch(inotify_.number(), folder.c_str(), events_watched);
        return slot >= 0;
    }

    // Reads all that is waiting; true if any of it concerns us.
    bool drain() {
        bool any = false;
        alignas(inotify_event) std::array<char, 16 * 1024> buffer;
        while (true) {
            auto count = ::read(inotify_.number(), buffer.data(), buffer.size());
            if (count <= 0) return any;
            for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
                inotify_event event;
                std::memcpy(&event, buffer.data() + at, sizeof event);
                const char* name = buffer.data() + at + sizeof event;
                any = concerns_us(event, event.len > 0 ? std::string_view(name) : std::string_view()) || any;
                at += sizeof event + event.len;
            }
        }
    }

    bool concerns_us(const inotify_event& event, std::string_view name) const {
        if ((event.mask & IN_Q_OVERFLOW) != 0) return true;
        if (event.wd == apps_watch_ && (name.empty() || is_manifest(name))) return true;
        if (event.wd == root_ && name == "integreat.yaml") return true;
        return event.wd == above_ && name == apps_.filename().string();
    }

    std::filesystem::path folder_;
    std::filesystem::path apps_;
    Descriptor inotify_;
    Descriptor stop_;
    int root_ = -1;
    int above_ = -1;
    int apps_watch_ = -1;
};

Result<std::unique_ptr<Watch>> Watch::start(std::filesystem::path folder, std::function<void()> changed,
                                            WatchSettings settings) {
    auto notices = std::make_unique<Notices>(folder);
    if (!notices->open() || !notices->follow()) {
        return Error{Fault::unavailable, folder.string() + " cannot be watched for changes",
                     std::generic_category().message(errno)};
    }
    return std::unique_ptr<Watch>(new Watch(std::move(notices), std::move(changed), settings));
}

Watch::Watch(std::unique_ptr<Notices> notices, std::function<void()> changed, WatchSettings settings)
    : notices_(std::move(notices)),
      changed_(std::move(changed)),
      settings_(settings),
      thread_([this] { run(); }) {}

Watch::~Watch() {
    notices_->stop();
    thread_.join();
}

void Watch::run() {
    using Wake = Notices::Wake;
    while (notices_->wait(std::nullopt) == Wake::change) {
        auto latest = steady_clock::now() + settings_.patience;
        Wake wake = Wake::change;
        while (wake == Wake::change && steady_clock::now() < latest)
            wake = notices_->wait(settings_.quiet);
        if (wake == Wake::stop) return;
        notices_->follow();  // Before the files are read, so that nothing falls between.
        changed_();
    }
}

}  // namespace integreat::cli
