// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/store/blob_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace integreat::s3 {

namespace {

Error file_error(const std::string& what) {
    auto fault = errno == ENOSPC || errno == EDQUOT ? Fault::exhausted : Fault::internal;
    auto message = fault == Fault::exhausted ? "the disk of the local cloud is full"
                                             : "the local cloud's files cannot be read or written";
    return {fault, message, what + ": " + std::strerror(errno)};
}

std::string incoming_name(BlobId number) {
    return std::to_string(number);
}

// Returns one of 256 folders, which keeps each of them small.
std::string shard_folder(BlobId number) {
    constexpr std::string_view digits = "0123456789abcdef";
    auto low = static_cast<std::size_t>(number & 0xff);
    return std::string("objects/") + digits[low >> 4] + digits[low & 15];
}

std::string object_path(BlobId number) {
    return shard_folder(number) + "/" + std::to_string(number);
}

Result<UniqueFd> open_folder(const std::string& path) {
    std::error_code failure;
    std::filesystem::create_directories(path, failure);
    UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) {
        return Error{Fault::unavailable, "the folder for objects cannot be created (" + path + ")",
                     std::strerror(errno)};
    }
    return folder;
}

}  // namespace

Result<std::unique_ptr<BlobFiles>> BlobFiles::open(const std::string& folder) {
    auto root = TRY(open_folder(folder));
    auto incoming = TRY(open_folder(folder + "/incoming"));
    TRY(open_folder(folder + "/objects"));
    UniqueFd lock(::openat(root.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock) return file_error(folder + "/lock");
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        return Error{Fault::unavailable,
                     "another process uses the objects in " + folder + "; stop it or use another data folder",
                     std::strerror(errno)};
    }
    if (::fsync(root.get()) != 0) return file_error(folder);
    return std::unique_ptr<BlobFiles>(new BlobFiles(std::move(root), std::move(incoming), std::move(lock)));
}

Result<UniqueFd> BlobFiles::create(BlobId number) {
    auto name = incoming_name(number);
    UniqueFd file(::openat(incoming_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) return file_error("incoming/" + name);
    return file;
}

Result<> BlobFiles::sync(const UniqueFd& file) {
    if (::fsync(file.get()) != 0) return file_error("fsync of a file");
    if (::fsync(incoming_.get()) != 0) return file_error("fsync of incoming/");
    return {};
}

// A failure does not matter to the caller: open_file also searches incoming/, and the next start promotes the
// file.
void BlobFiles::promote(BlobId number) {
    auto from = incoming_name(number);
    auto to = object_path(number);
    if (::renameat(incoming_.get(), from.c_str(), root_.get(), to.c_str()) == 0 || errno != ENOENT) return;
    ::mkdirat(root_.get(), shard_folder(number).c_str(), 0700);
    ::renameat(incoming_.get(), from.c_str(), root_.get(), to.c_str());
}

Result<UniqueFd> BlobFiles::open_file(BlobId number) {
    // The file may be promoted between the first two attempts, hence the third.
    auto promoted = object_path(number);
    auto incoming = incoming_name(number);
    for (int attempt = 0; attempt < 3; ++attempt) {
        bool in_incoming = attempt == 1;
        UniqueFd file(in_incoming ? ::openat(incoming_.get(), incoming.c_str(), O_RDONLY | O_CLOEXEC)
                                  : ::openat(root_.get(), promoted.c_str(), O_RDONLY | O_CLOEXEC));
        if (file) return file;
        if (errno != ENOENT) return file_error(promoted);
    }
    return Error{Fault::not_found, "the file of an object does not exist", promoted};
}

void BlobFiles::remove(BlobId number) {
    ::unlinkat(incoming_.get(), incoming_name(number).c_str(), 0);
    ::unlinkat(root_.get(), object_path(number).c_str(), 0);
}

Result<> BlobFiles::recover(const std::function<Result<bool>(BlobId)>& is_referenced) {
    int fd = ::openat(incoming_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    std::unique_ptr<DIR, int (*)(DIR*)> folder(fd >= 0 ? ::fdopendir(fd) : nullptr, ::closedir);
    if (!folder) return file_error("incoming/");
    while (const auto* entry = ::readdir(folder.get())) {
        std::string_view name = entry->d_name;
        BlobId number = 0;
        auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), number);
        if (failure != std::errc() || end != name.data() + name.size()) continue;
        if (TRY(is_referenced(number))) {
            promote(number);
        } else {
            remove(number);
        }
    }
    return {};
}

Result<> write_fully(const UniqueFd& file, std::string_view bytes, std::string_view more) {
    while (!bytes.empty() || !more.empty()) {
        std::array<iovec, 2> parts{
            {{const_cast<char*>(bytes.data()), bytes.size()}, {const_cast<char*>(more.data()), more.size()}}};
        auto written = ::writev(file.get(), parts.data(), parts.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return file_error("write");
        auto first_bytes = std::min(static_cast<std::size_t>(written), bytes.size());
        bytes.remove_prefix(first_bytes);
        more.remove_prefix(static_cast<std::size_t>(written) - first_bytes);
    }
    return {};
}

}  // namespace integreat::s3
