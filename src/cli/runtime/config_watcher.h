// SPDX-License-Identifier: Apache-2.0
// Watches the configuration files for changes without polling (inotify(7)). Folders are watched instead of
// files, because editors and deployments replace files by renaming; the folder of manifests may also be
// removed and created again. A burst of changes causes one callback, after the burst.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>

#include "base/result.h"

namespace integreat::cli {

struct ConfigWatcherSettings {
    std::chrono::milliseconds quiet_period{100};  // A burst ends after this time without a change...
    std::chrono::milliseconds max_delay{2'000};   // ...or this time after its start.
};

class ConfigWatcher {
public:
    // Watches integreat.yaml in `folder` and its manifests. `changed` is called on the watcher's own thread.
    static Result<std::unique_ptr<ConfigWatcher>> start(std::filesystem::path folder,
                                                        std::function<void()> changed,
                                                        ConfigWatcherSettings settings = {});
    ~ConfigWatcher();
    ConfigWatcher(const ConfigWatcher&) = delete;

private:
    class FolderEvents;

    ConfigWatcher(std::unique_ptr<FolderEvents> events, std::function<void()> changed,
                  ConfigWatcherSettings settings);
    void run();

    std::unique_ptr<FolderEvents> events_;
    std::function<void()> changed_;
    ConfigWatcherSettings settings_;
    std::thread thread_;
};

}  // namespace integreat::cli
