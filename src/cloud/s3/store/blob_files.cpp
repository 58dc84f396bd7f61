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

std::string incoming_name(FileNumber number) {
    return std::to_string(number);
}

// 256 folders, so that none becomes large.
std::string shard_of(FileNumber number) {
    constexpr std::string_view digits = "0123456789abcdef";
    auto low = static_cast<std::size_t>(number & 0xff);
    return std::string("objects/") + digits[low >> 4] + digits[low & 15];
}

std::string settled_name(FileNumber number) {
    return shard_of(number) + "/" + std::to_string(number);
}

Result<Descriptor> open_folder(const std::string& path) {
    std::error_code failure;
    std::filesystem::create_directories(path, failure);
    Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) {
        return Error{Fault::unavailable, "the folder for objects cannot be made (" + path + ")",
                     std::strerror(errno)};
    }
    return folder;
}

}  // namespace

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}

Result<std::unique_ptr<Files>> Files::open(const std::string& folder) {
    auto root = TRY(open_folder(folder));
    auto incoming = TRY(open_folder(folder + "/incoming"));
    TRY(open_folder(folder + "/objects"));
    Descriptor lock(::openat(root.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock) return file_error(folder + "/lock");
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        return Error{Fault::unavailable,
                     "another process keeps objects in " + folder + ": stop it or name another data folder",
                     std::strerror(errno)};
    }
    if (::fsync(root.get()) != 0) return file_error(folder);
    return std::unique_ptr<Files>(new Files(std::move(root), std::move(incoming), std::move(lock)));
}

Result<Descriptor> Files::create(FileNumber number) {
    auto name = incoming_name(number);
    Descriptor file(::openat(incoming_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) return file_error("incoming/" + name);
    return file;
}

Result<> Files::sync(const Descriptor& file) {
    if (::fsync(file.get()) != 0) return file_error("fsync of a file");
    if (::fsync(incoming_.get()) != 0) return file_error("fsync of incoming/");
    return {};
}

// A failure is not the caller's: the file is found in incoming/, too, and the next start moves it on.
void Files::move_on(FileNumber number) {
    auto from = incoming_name(number);
    auto to = settled_name(number);
    if (::renameat(incoming_.get(), from.c_str(), root_.get(), to.c_str()) == 0 || errno != ENOENT) return;
    ::mkdirat(root_.get(), shard_of(number).c_str(), 0700);
    ::renameat(incoming_.get(), from.c_str(), root_.get(), to.c_str());
}

Result<Descriptor> Files::open_file(FileNumber number) {
    // It may be moved on between the two looks: hence the third.
    auto settled = settled_name(number);
    auto incoming = incoming_name(number);
    for (int attempt = 0; attempt < 3; ++attempt) {
        bool second = attempt == 1;
        Descriptor file(second ? ::openat(incoming_.get(), incoming.c_str(), O_RDONLY | O_CLOEXEC)
                               : ::openat(root_.get(), settled.c_str(), O_RDONLY | O_CLOEXEC));
        if (file) return file;
        if (errno != ENOENT) return file_error(settled);
    }
    return Error{Fault::not_found, "the file of an object is gone", settled};
}

void Files::remove(FileNumber number) {
    ::unlinkat(incoming_.get(), incoming_name(number).c_str(), 0);
    ::unlinkat(root_.get(), settled_name(number).c_str(), 0);
}

Result<> Files::collect_leftovers(const std::function<Result<bool>(FileNumber)>& known) {
    int again = ::openat(incoming_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    std::unique_ptr<DIR, int (*)(DIR*)> folder(again >= 0 ? ::fdopendir(again) : nullptr, ::closedir);
    if (!folder) return file_error("incoming/");
    while (const auto* entry = ::readdir(folder.get())) {
        std::string_view name = entry->d_name;
        FileNumber number = 0;
        auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), number);
        if (failure != std::errc() || end != name.data() + name.size()) continue;
        if (TRY(known(number))) {
            move_on(number);
        } else {
            remove(number);
        }
    }
    return {};
}

Result<> write_fully(const Descriptor& file, std::string_view bytes, std::string_view more) {
    while (!bytes.empty() || !more.empty()) {
        std::array<iovec, 2> parts{
            {{const_cast<char*>(bytes.data()), bytes.size()}, {const_cast<char*>(more.data()), more.size()}}};
        auto written = ::writev(file.get(), parts.data(), parts.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return file_error("write");
        auto of_first = std::min(static_cast<std::size_t>(written), bytes.size());
        bytes.remove_prefix(of_first);
        more.remove_prefix(static_cast<std::size_t>(written) - of_first);
    }
    return {};
}

}  // namespace integreat::s3
