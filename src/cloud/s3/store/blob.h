// SPDX-License-Identifier: Apache-2.0
// Writing and reading of blobs. A writer appends chunks, hashes them, keeps small blobs in memory for the
// index and writes large ones to a file. A reader returns any range of a content in chunks of constant size.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cloud/s3/store/storage.h"
#include "crypto/crc.h"
#include "crypto/hash.h"

namespace integreat::s3 {

// A running checksum of the kind that the client selected.
class RunningChecksum {
public:
    explicit RunningChecksum(ChecksumKind kind);
    void update(std::string_view bytes);
    std::string finish();  // Base64; empty for ChecksumKind::none.

private:
    ChecksumKind kind_;
    std::variant<std::monostate, crypto::CrcSum, crypto::Hasher> sum_;
};

std::optional<crypto::Crc> to_crc(ChecksumKind kind);

// A received blob: hashed and, if in a file, synced. Deleted on destruction unless attach_to() has added it
// to a write batch.
class PendingBlob {
public:
    PendingBlob(PendingBlob&& other) noexcept;
    PendingBlob& operator=(PendingBlob&&) = delete;
    ~PendingBlob();

    BlobId number() const { return number_; }
    std::uint64_t size() const { return size_; }
    const std::string& md5() const { return md5_; }  // Raw bytes.
    const Checksum& checksum() const { return checksum_; }

    // Inserts the row in `blobs`; the caller inserts the row that references it.
    Result<> attach_to(WriteBatch& batch);

private:
    friend class BlobWriter;
    explicit PendingBlob(Storage& storage) : storage_(&storage) {}

    Storage* storage_;
    BlobId number_ = 0;
    std::uint64_t size_ = 0;
    std::string bytes_;  // Empty if in a file.
    bool in_file_ = false;
    bool attached_ = false;
    std::string md5_;
    Checksum checksum_;
};

class BlobWriter {
public:
    BlobWriter(Storage& storage, ChecksumKind kind)
        : blob_(storage), md5_(crypto::HashAlgorithm::md5), kind_(kind), sum_(kind) {}

    Result<> append(std::string_view bytes);
    std::uint64_t size() const { return blob_.size_; }
    Result<PendingBlob> finish();  // Called once.

private:
    Result<> write_blocks(std::string_view bytes);

    PendingBlob blob_;
    UniqueFd file_;
    std::string rest_;  // Less than a block of the file, not written yet.
    crypto::Hasher md5_;
    ChecksumKind kind_;
    RunningChecksum sum_;
};

struct Range {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

// The content of a GET response: bytes in memory, a part of one file, or several blobs in sequence.
struct FilePart {
    UniqueFd file;
    Range range;
};
class MultipartReader;
using Content = std::variant<std::string, FilePart, MultipartReader>;

// Reads a range of a content made of several blobs. Holds a lease, but no file and no connection between
// reads.
class MultipartReader {
public:
    struct PartBlob {
        BlobId blob;
        std::uint64_t size;
    };
    MultipartReader(Storage& storage, ReadLease lease, std::vector<PartBlob> parts, Range range);

    // Appends up to `max_bytes`; nothing once all has been read.
    Result<> read(std::string& to, std::size_t max_bytes);
    std::uint64_t remaining() const { return remaining_; }

private:
    Storage* storage_;
    ReadLease lease_;
    std::vector<PartBlob> parts_;
    std::size_t index_ = 0;     // Index of the current part.
    std::uint64_t offset_ = 0;  // Offset in the current part, in bytes.
    std::uint64_t remaining_ = 0;
};

// Opens a range; Fault::not_found if the content was deleted since its row was read: read the row again.
Result<Content> open_content(Storage& storage, const Version& object, Range range);

// A part of an object that was uploaded in parts.
struct PartRow {
    int part = 0;
    BlobId blob = 0;
    std::uint64_t size = 0;
    std::string checksum;
};
// Lists the parts of a content in order.
Result<std::vector<PartRow>> list_part_rows(sqlite::Transaction& transaction, std::int64_t content);

// Copies a range to a writer in constant memory.
Result<> copy_range_to(Storage& storage, const Version& from, Range range, BlobWriter& to);

}  // namespace integreat::s3
