// SPDX-License-Identifier: Apache-2.0
// Files with the bytes of large objects, one per blob, immutable once written. Each has a unique number and
// passes through two folders:
//
//     incoming/N   while it is written and synced; after that, a row of the index may reference it
//     objects/…/N  after that row has been committed
//
// A torn write is therefore never visible, and files left behind by a kill are in incoming/: at the next
// start, those that the index references are promoted and the others are deleted. No other folder has to be
// scanned.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace integreat::s3 {

using BlobId = std::int64_t;

class BlobFiles {
public:
    // Creates missing folders and locks them; Fault::unavailable if another process holds the lock.
    static Result<std::unique_ptr<BlobFiles>> open(const std::string& folder);

    Result<UniqueFd> create(BlobId number);  // Creates a file in incoming/ for writing.
    Result<> sync(const UniqueFd& file);     // Syncs the bytes and the name in incoming/.
    void promote(BlobId number);             // Moves a file to objects/.
    Result<UniqueFd> open_file(
        BlobId number);          // Opens a file for reading; Fault::not_found if it was deleted.
    void remove(BlobId number);  // Deletes a file from either folder.

    // Promotes the referenced files in incoming/ and deletes the others. Called at start.
    Result<> recover(const std::function<Result<bool>(BlobId)>& is_referenced);

private:
    BlobFiles(UniqueFd root, UniqueFd incoming, UniqueFd lock)
        : root_(std::move(root)), incoming_(std::move(incoming)), lock_(std::move(lock)) {}

    UniqueFd root_;
    UniqueFd incoming_;
    UniqueFd lock_;
};

// Writes two buffers one after the other, retrying short writes.
Result<> write_fully(const UniqueFd& file, std::string_view bytes, std::string_view more = {});

}  // namespace integreat::s3
