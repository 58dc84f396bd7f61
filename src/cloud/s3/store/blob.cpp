// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/store/blob.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "cloud/s3/store/limits.h"
#include "crypto/encoding.h"

namespace integreat::s3 {

namespace {

constexpr std::size_t copy_buffer_bytes = 1024 * 1024;
// Files are written in multiples of this size, in bytes: the kernel caches aligned writes in large folios,
// and sending those costs a sixth less than sending the small folios of unaligned chunks.
constexpr std::size_t block_bytes = 64 * 1024;

// Appends exactly `length` bytes of the file.
Result<> read_file(const UniqueFd& file, Range range, std::string& to) {
    auto start = to.size();
    to.resize(start + range.length);
    std::size_t done = 0;
    while (done < range.length) {
        auto count = ::pread(file.get(), to.data() + start + done, range.length - done,
                             static_cast<off_t>(range.offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            to.resize(start + done);
            return Error{Fault::internal, "an object's file cannot be read",
                         count < 0 ? std::strerror(errno) : "the file is shorter than its size in the index"};
        }
        done += static_cast<std::size_t>(count);
    }
    return {};
}

// Returns the bytes of a blob in the index, or nothing if they are in a file; Fault::not_found if there is no
// such blob.
Result<std::optional<std::string>> read_inline_bytes(sqlite::Transaction& transaction, BlobId blob,
                                                     Range range) {
    auto statement = TRY(transaction.query("SELECT bytes, bytes IS NULL FROM blobs WHERE blob = ?", blob));
    if (!TRY(statement.step())) {
        return Error{Fault::not_found, "the content of an object does not exist", std::to_string(blob)};
    }
    if (statement.flag(1)) return std::optional<std::string>();
    auto bytes = statement.view(0);
    ASSERT(range.offset + range.length <= bytes.size());
    return std::optional<std::string>(bytes.substr(range.offset, range.length));
}

}  // namespace

std::optional<crypto::Crc> to_crc(ChecksumKind kind) {
    switch (kind) {
        case ChecksumKind::crc32: return crypto::Crc::crc32;
        case ChecksumKind::crc32c: return crypto::Crc::crc32c;
        case ChecksumKind::crc64nvme: return crypto::Crc::crc64nvme;
        default: return std::nullopt;
    }
}

RunningChecksum::RunningChecksum(ChecksumKind kind) : kind_(kind) {
    if (auto crc = to_crc(kind)) sum_.emplace<crypto::CrcSum>(*crc);
    if (kind == ChecksumKind::sha1) sum_.emplace<crypto::Hasher>(crypto::HashAlgorithm::sha1);
    if (kind == ChecksumKind::sha256) sum_.emplace<crypto::Hasher>(crypto::HashAlgorithm::sha256);
}

void RunningChecksum::update(std::string_view bytes) {
    if (auto* crc = std::get_if<crypto::CrcSum>(&sum_)) crc->update(bytes);
    if (auto* hasher = std::get_if<crypto::Hasher>(&sum_)) hasher->update(bytes);
}

std::string RunningChecksum::finish() {
    if (auto* crc = std::get_if<crypto::CrcSum>(&sum_))
        return crypto::base64_encode(crypto::crc_bytes(*to_crc(kind_), crc->value()));
    if (auto* hasher = std::get_if<crypto::Hasher>(&sum_)) return crypto::base64_encode(hasher->finish());
    return {};
}

PendingBlob::PendingBlob(PendingBlob&& other) noexcept
    : storage_(other.storage_),
      number_(other.number_),
      size_(other.size_),
      bytes_(std::move(other.bytes_)),
      in_file_(std::exchange(other.in_file_, false)),
      attached_(other.attached_),
      md5_(std::move(other.md5_)),
      checksum_(std::move(other.checksum_)) {}

PendingBlob::~PendingBlob() {
    if (in_file_ && !attached_) storage_->files->remove(number_);
}

Result<> PendingBlob::attach_to(WriteBatch& batch) {
    auto size = static_cast<std::int64_t>(size_);
    if (in_file_) {
        batch.added_blobs.push_back(number_);
        attached_ = true;
        TRY(batch.transaction.execute("INSERT INTO blobs VALUES (?, ?, NULL)", number_, size));
    } else {
        TRY(batch.transaction.execute("INSERT INTO blobs VALUES (?, ?, ?)", number_, size,
                                      sqlite::Blob{bytes_}));
    }
    return {};
}

Result<> BlobWriter::append(std::string_view bytes) {
    md5_.update(bytes);
    sum_.update(bytes);
    blob_.size_ += bytes.size();
    if (!blob_.in_file_ && blob_.size_ <= inline_bytes_max) {
        blob_.bytes_ += bytes;
        return {};
    }
    if (!blob_.in_file_) {
        blob_.number_ = next_number(*blob_.storage_);
        file_ = TRY(blob_.storage_->files->create(blob_.number_));
        blob_.in_file_ = true;
        TRY(write_blocks(std::exchange(blob_.bytes_, {})));
    }
    return write_blocks(bytes);
}

Result<> BlobWriter::write_blocks(std::string_view bytes) {
    auto whole = (rest_.size() + bytes.size()) / block_bytes * block_bytes;
    if (whole == 0) {
        rest_ += bytes;
        return {};
    }
    auto count = whole - rest_.size();
    TRY(write_fully(file_, rest_, bytes.substr(0, count)));
    rest_ = bytes.substr(count);
    return {};
}

Result<PendingBlob> BlobWriter::finish() {
    if (blob_.in_file_) {
        TRY(write_fully(file_, rest_));
        TRY(blob_.storage_->files->sync(file_));
        file_ = {};
    } else {
        blob_.number_ = next_number(*blob_.storage_);
    }
    blob_.md5_ = md5_.finish();
    blob_.checksum_ = {.kind = kind_, .text = sum_.finish()};
    return std::move(blob_);
}

MultipartReader::MultipartReader(Storage& storage, ReadLease lease, std::vector<PartBlob> parts, Range range)
    : storage_(&storage),
      lease_(std::move(lease)),
      parts_(std::move(parts)),
      offset_(range.offset),
      remaining_(range.length) {
    while (index_ < parts_.size() && offset_ >= parts_[index_].size)
        offset_ -= parts_[index_++].size;
}

Result<> MultipartReader::read(std::string& to, std::size_t max_bytes) {
    while (remaining_ > 0 && max_bytes > 0) {
        ASSERT(index_ < parts_.size());
        const auto& part = parts_[index_];
        Range range{offset_, std::min<std::uint64_t>({part.size - offset_, remaining_, max_bytes})};
        {
            auto transaction = TRY(storage_->index->read());
            if (auto bytes = TRY(read_inline_bytes(transaction, part.blob, range))) {
                to += *bytes;
            } else {
                auto file = TRY(storage_->files->open_file(part.blob));
                TRY(read_file(file, range, to));
            }
        }
        offset_ += range.length;
        remaining_ -= range.length;
        max_bytes -= range.length;
        if (offset_ == part.size) {
            ++index_;
            offset_ = 0;
        }
    }
    return {};
}

Result<std::vector<PartRow>> list_part_rows(sqlite::Transaction& transaction, std::int64_t content) {
    auto statement = TRY(transaction.query(
        "SELECT part, blob, size, checksum FROM pieces WHERE content = ? ORDER BY part", content));
    std::vector<PartRow> parts;
    while (TRY(statement.step())) {
        parts.push_back({.part = static_cast<int>(statement.integer(0)),
                         .blob = statement.integer(1),
                         .size = static_cast<std::uint64_t>(statement.integer(2)),
                         .checksum = statement.text(3)});
    }
    return parts;
}

Result<Content> open_content(Storage& storage, const Version& object, Range range) {
    ASSERT(range.offset + range.length <= object.size);
    auto blob = object.content;
    std::vector<MultipartReader::PartBlob> parts;
    if (object.part_count > 0) {
        auto transaction = TRY(storage.index->read());
        auto rows = TRY(list_part_rows(transaction, object.content));
        if (rows.empty()) return Error{Fault::not_found, "the content of an object does not exist"};
        for (const auto& row : rows)
            parts.push_back({row.blob, row.size});
        // A range within one part is read like an object in one blob.
        auto first = parts.begin();
        while (first + 1 != parts.end() && range.offset >= first->size)
            range.offset -= (first++)->size;
        parts.erase(parts.begin(), first);
        blob = parts.front().blob;
    }
    if (parts.size() > 1 && range.offset + range.length > parts.front().size) {
        auto lease = ReadLease::try_acquire(storage, object.content);
        // Checked again under the lease, which keeps the files of a content that is deleted from now on.
        auto transaction = TRY(storage.index->read());
        if (!lease || TRY(list_part_rows(transaction, object.content)).empty())
            return Error{Fault::not_found, "the content of an object does not exist"};
        return Content(MultipartReader(storage, *std::move(lease), std::move(parts), range));
    }
    auto transaction = TRY(storage.index->read());
    if (auto bytes = TRY(read_inline_bytes(transaction, blob, range))) return Content(*std::move(bytes));
    auto file = TRY(storage.files->open_file(blob));
    return Content(FilePart{.file = std::move(file), .range = range});
}

Result<> copy_range_to(Storage& storage, const Version& from, Range range, BlobWriter& to) {
    auto content = TRY(open_content(storage, from, range));
    if (auto* bytes = std::get_if<std::string>(&content)) return to.append(*bytes);
    std::string buffer;
    if (auto* file = std::get_if<FilePart>(&content)) {
        for (auto [offset, remaining] = file->range; remaining > 0;) {
            auto count = std::min<std::uint64_t>(remaining, copy_buffer_bytes);
            buffer.clear();
            TRY(read_file(file->file, {offset, count}, buffer));
            TRY(to.append(buffer));
            offset += count;
            remaining -= count;
        }
        return {};
    }
    auto& reader = std::get<MultipartReader>(content);
    while (reader.remaining() > 0) {
        buffer.clear();
        TRY(reader.read(buffer, copy_buffer_bytes));
        TRY(to.append(buffer));
    }
    return {};
}

}  // namespace integreat::s3
