// SPDX-License-Identifier: Apache-2.0
// Bytes on their way in and out. In: appended piece by piece, hashed on the way, small ones kept in memory
// for the index, large ones written to a file. Out: any range of a content, in pieces of constant size.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cloud/s3/store/storage.h"
#include "crypto/crc.h"
#include "crypto/hasher.h"

namespace integreat::s3 {

// A running checksum of a kind chosen by the client.
class ChecksumSum {
public:
    explicit ChecksumSum(ChecksumKind kind);
    void update(std::string_view bytes);
    std::string finish();  // Base64; empty for none.

private:
    ChecksumKind kind_;
    std::variant<std::monostate, crypto::CrcSum, crypto::Hasher> sum_;
};

std::optional<crypto::Crc> crc_of(ChecksumKind kind);

// Received, hashed and, where it is in a file, synced; gone again unless adopt() makes it part of a change.
class Body {
public:
    Body(Body&& other) noexcept;
    Body& operator=(Body&&) = delete;
    ~Body();

    FileNumber number() const { return number_; }
    std::uint64_t size() const { return size_; }
    const std::string& md5() const { return md5_; }  // Raw bytes.
    const Checksum& checksum() const { return checksum_; }

    // Its row of `blobs`; the caller writes the row that names it.
    Result<> adopt(Change& change);

private:
    friend class BodyWriter;
    explicit Body(Storage& storage) : storage_(&storage) {}

    Storage* storage_;
    FileNumber number_ = 0;
    std::uint64_t size_ = 0;
    std::string bytes_;  // Unless in a file.
    bool in_file_ = false;
    bool adopted_ = false;
    std::string md5_;
    Checksum checksum_;
};

class BodyWriter {
public:
    BodyWriter(Storage& storage, ChecksumKind kind)
        : body_(storage), md5_(crypto::Hash::md5), kind_(kind), sum_(kind) {}

    Result<> append(std::string_view bytes);
    std::uint64_t size() const { return body_.size_; }
    Result<Body> finish();  // Once.

private:
    Result<> write_blocks(std::string_view bytes);

    Body body_;
    Descriptor file_;
    std::string rest_;  // Of the file, less than a block: not written yet.
    crypto::Hasher md5_;
    ChecksumKind kind_;
    ChecksumSum sum_;
};

struct Range {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

// What a GET sends: bytes in memory, a part of one file, or several blobs in a row.
struct FilePart {
    Descriptor file;
    Range range;
};
class PieceReader;
using Content = std::variant<std::string, FilePart, PieceReader>;

// A range of a content made of several blobs. Holds a lease, but no file and no connection between two reads.
class PieceReader {
public:
    struct Piece {
        FileNumber blob;
        std::uint64_t size;
    };
    PieceReader(Storage& storage, Lease lease, std::vector<Piece> pieces, Range range);

    // Appends up to `bytes_max`; nothing once all has been read.
    Result<> read(std::string& to, std::size_t bytes_max);
    std::uint64_t left() const { return left_; }

private:
    Storage* storage_;
    Lease lease_;
    std::vector<Piece> pieces_;
    std::size_t at_ = 0;        // The piece that is read,
    std::uint64_t inside_ = 0;  // and from where.
    std::uint64_t left_ = 0;
};

// Fault::not_found if it was removed since its row was read: read the row again.
Result<Content> open_content(Storage& storage, const Version& object, Range range);

// The pieces of an object that was uploaded in parts, in order.
struct PieceRow {
    int part = 0;
    FileNumber blob = 0;
    std::uint64_t size = 0;
    std::string checksum;
};
Result<std::vector<PieceRow>> pieces_of(sqlite::Transaction& transaction, std::int64_t content);

// Feeds a range to a writer, with constant memory.
Result<> copy_content(Storage& storage, const Version& from, Range range, BodyWriter& to);

}  // namespace integreat::s3
