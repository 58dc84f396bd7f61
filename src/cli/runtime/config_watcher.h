// SPDX-License-Identifier: Apache-2.0
// Notices that the configuration has changed and calls back, without polling (inotify(7)). Folders are
// watched, not files, because editors and deployments replace files by renaming others over them; the folder
// of manifests itself may go and come again. A burst of changes is one call, made once it is over.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>

#include "base/result.h"

namespace integreat::cli {

struct WatchSettings {
    std::chrono::milliseconds quiet{100};       // A burst is over when nothing has changed for so long...
    std::chrono::milliseconds patience{2'000};  // ...or when it has lasted for this long.
};

class Watch {
public:
    // Watches integreat.yaml in `folder` and the manifests beside it. `changed` runs on the watch's own
    // thread, one call at a time.
    static Result<std::unique_ptr<Watch>> start(std::filesystem::path folder, std::function<void()> changed,
                                                WatchSettings settings = {});
    ~Watch();
    Watch(const Watch&) = delete;

private:
    class Notices;

    Watch(std::unique_ptr<Notices> notices, std::function<void()> changed, WatchSettings settings);
    void run();

    std::unique_ptr<Notices> notices_;
    std::function<void()> changed_;
    WatchSettings settings_;
    std::thread thread_;
};

}  // namespace integreat::cli
