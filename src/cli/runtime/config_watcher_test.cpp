// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/config_watcher.h"

#include <condition_variable>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/concurrency/synchronized.h"

namespace integreat::cli {

namespace {

namespace fs = std::filesystem;

// Counts calls and waits for them, at most ten seconds.
class Calls {
public:
    void count() {
        ++*count_.lock();
        more_.notify_all();
    }
    bool reach(int target) {
        auto count = count_.lock();
        return more_.wait_for(count.lock(), std::chrono::seconds(10), [&] { return *count >= target; });
    }
    int now() { return *count_.lock(); }

private:
    Synchronized<int> count_{0};
    std::condition_variable more_;
};

class ConfigWatcherTest : public testing::Test {
protected:
    ConfigWatcherTest() {
        std::string pattern = fs::temp_directory_path() / "integreat-watch-XXXXXX";
        folder = ::mkdtemp(pattern.data());
        fs::create_directory(folder / "apps");
    }
    ~ConfigWatcherTest() override { fs::remove_all(folder); }

    void write(const fs::path& file, std::string_view text = "app: a\n") {
        std::ofstream(folder / file) << text;
    }

    void start() {
        auto started = ConfigWatcher::start(folder, [this] { calls.count(); },
                                            {.quiet_period = std::chrono::milliseconds(20)});
        ASSERT_TRUE(started) << started.error().message;
        watch = *std::move(started);
    }

    fs::path folder;
    Calls calls;
    std::unique_ptr<ConfigWatcher> watch;
};

}  // namespace

TEST_F(ConfigWatcherTest, CallsOnceForABurstOfChanges) {
    start();
    for (int i = 0; i < 20; ++i)
        write("apps/a.yaml");
    ASSERT_TRUE(calls.reach(1));
    write("integreat.yaml", "# x\n");
    ASSERT_TRUE(calls.reach(2));
    EXPECT_LE(calls.now(), 3);  // A slow machine may split the burst.
}

TEST_F(ConfigWatcherTest, DetectsARenamingEditor) {
    write("apps/a.yaml");
    start();
    write("apps/.a.yaml.swp");
    fs::rename(folder / "apps/.a.yaml.swp", folder / "apps/a.yaml");
    EXPECT_TRUE(calls.reach(1));
    fs::remove(folder / "apps/a.yaml");
    EXPECT_TRUE(calls.reach(2));
}

TEST_F(ConfigWatcherTest, WatchesAFolderThatIsRemovedAndCreatedAgain) {
    start();
    fs::remove_all(folder / "apps");
    ASSERT_TRUE(calls.reach(1));
    fs::create_directory(folder / "apps");
    ASSERT_TRUE(calls.reach(2));
    write("apps/b.yaml");
    EXPECT_TRUE(calls.reach(3));
}

TEST_F(ConfigWatcherTest, WatchesTheFolderNamedByTheSettings) {
    fs::create_directories(folder / "elsewhere/manifests");
    start();
    write("integreat.yaml", "apps_dir: elsewhere/manifests\n");
    ASSERT_TRUE(calls.reach(1));
    write("elsewhere/manifests/a.yaml");
    EXPECT_TRUE(calls.reach(2));
}

TEST_F(ConfigWatcherTest, IgnoresFilesThatAreNotConfiguration) {
    start();
    write("apps/notes.txt");
    write("apps/.a.yaml.swp");
    write("README.md");
    // Events arrive in order, so the previous ones were processed before this one.
    write("apps/a.yaml");
    ASSERT_TRUE(calls.reach(1));
    EXPECT_EQ(calls.now(), 1);
}

TEST_F(ConfigWatcherTest, ReportsAFolderThatCannotBeWatched) {
    auto started = ConfigWatcher::start(folder / "missing", [] {});
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().fault, Fault::unavailable);
    EXPECT_EQ(started.error().message, (folder / "missing").string() + " cannot be watched for changes");
}

}  // namespace integreat::cli
