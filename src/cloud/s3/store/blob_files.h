// SPDX-License-Identifier: Apache-2.0
// The bytes of large objects, one file each, never changed once written. A file has a number nobody had
// before and passes through two folders:
//
//     incoming/N   being written, then synced with its folder; only now may a row of the index name it
//     objects/…/N  where it is moved when that row is committed
//
// So a torn write is never visible, and what a kill leaves behind lies in incoming/: at the next start those
// files that the index knows are moved on and the others go. Nothing has to be searched.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace integreat::s3 {

using FileNumber = std::int64_t;

// Closed when it goes.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor();

    int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }
    explicit operator bool() const { return number_ >= 0; }

private:
    int number_ = -1;
};

class Files {
public:
    // Makes the folders if need be. Fault::unavailable if another process has them open.
    static Result<std::unique_ptr<Files>> open(const std::string& folder);

    Result<Descriptor> create(FileNumber number);     // In incoming/, for writing.
    Result<> sync(const Descriptor& file);            // The bytes, and the name in incoming/.
    void move_on(FileNumber number);                  // The row is committed.
    Result<Descriptor> open_file(FileNumber number);  // For reading; Fault::not_found if it is gone.
    void remove(FileNumber number);                   // From wherever it is.

    // For the start: what `known` says yes to is moved on, the rest of incoming/ goes.
    Result<> collect_leftovers(const std::function<Result<bool>(FileNumber)>& known);

private:
    Files(Descriptor root, Descriptor incoming, Descriptor lock)
        : root_(std::move(root)), incoming_(std::move(incoming)), lock_(std::move(lock)) {}

    Descriptor root_;
    Descriptor incoming_;
    Descriptor lock_;
};

// One behind the other, as one write.
Result<> write_fully(const Descriptor& file, std::string_view bytes, std::string_view more = {});

}  // namespace integreat::s3
