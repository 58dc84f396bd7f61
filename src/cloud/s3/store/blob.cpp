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

constexpr std::size_t copy_bytes = 1024 * 1024;
// Files are written in multiples of it, whatever the pieces they come in: the kernel caches what is aligned
// in large folios, and sending those costs a sixth less than sending the crumbs that odd pieces leave.
constexpr std::size_t block_bytes = 64 * 1024;

// Appends exactly `length` bytes of the file.
Result<> read_file(const Descriptor& file, Range range, std::string& to) {
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
                         count < 0 ? std::strerror(errno) : "it is shorter than the index says"};
        }
        done += static_cast<std::size_t>(count);
    }
    return {};
}

// The bytes of a blob in the index; nothing if they are in a file. Fault::not_found if there is no such blob.
Result<std::optional<std::string>> inline_bytes(sqlite::Transaction& transaction, FileNumber blob,
                                                Range range) {
    auto statement = TRY(transaction.query("SELECT bytes, bytes IS NULL FROM blobs WHERE blob = ?", blob));
    if (!TRY(statement.step())) {
        return Error{Fault::not_found, "the content of an object is gone", std::to_string(blob)};
    }
    if (statement.flag(1)) return std::optional<std::string>();
    auto bytes = statement.view(0);
    ASSERT(range.offset + range.length <= bytes.size());
    return std::optional<std::string>(bytes.substr(range.offset, range.length));
}

}  // namespace

std::optional<crypto::Crc> crc_of(ChecksumKind kind) {
    switch (kind) {
        case ChecksumKind::crc32: return crypto::Crc::crc32;
        case ChecksumKind::crc32c: return crypto::Crc::crc32c;
        case ChecksumKind::crc64nvme: return crypto::Crc::crc64nvme;
        default: return std::nullopt;
    }
}

ChecksumSum::ChecksumSum(ChecksumKind kind) : kind_(kind) {
    if (auto crc = crc_of(kind)) sum_.emplace<crypto::CrcSum>(*crc);
    if (kind == ChecksumKind::sha1) sum_.emplace<crypto::Hasher>(crypto::Hash::sha1);
    if (kind == ChecksumKind::sha256) sum_.emplace<crypto::Hasher>(crypto::Hash::sha256);
}

void ChecksumSum::update(std::string_view bytes) {
    if (auto* crc = std::get_if<crypto::CrcSum>(&sum_)) crc->update(bytes);
    if (auto* hasher = std::get_if<crypto::Hasher>(&sum_)) hasher->update(bytes);
}

std::string ChecksumSum::finish() {
    if (auto* crc = std::get_if<crypto::CrcSum>(&sum_))
        return crypto::base64_encode(crypto::crc_bytes(*crc_of(kind_), crc->value()));
    if (auto* hasher = std::get_if<crypto::Hasher>(&sum_)) return crypto::base64_encode(hasher->finish());
    return {};
}

Body::Body(Body&& other) noexcept
    : storage_(other.storage_),
      number_(other.number_),
      size_(other.size_),
      bytes_(std::move(other.bytes_)),
      in_file_(std::exchange(other.in_file_, false)),
      adopted_(other.adopted_),
      md5_(std::move(other.md5_)),
      checksum_(std::move(other.checksum_)) {}

Body::~Body() {
    if (in_file_ && !adopted_) storage_->files->remove(number_);
}

Result<> Body::adopt(Change& change) {
    auto size = static_cast<std::int64_t>(size_);
    if (in_file_) {
        change.adopted.push_back(number_);
        adopted_ = true;
        TRY(change.transaction.execute("INSERT INTO blobs VALUES (?, ?, NULL)", number_, size));
    } else {
        TRY(change.transaction.execute("INSERT INTO blobs VALUES (?, ?, ?)", number_, size,
                                       sqlite::Blob{bytes_}));
    }
    return {};
}

Result<> BodyWriter::append(std::string_view bytes) {
    md5_.update(bytes);
    sum_.update(bytes);
    body_.size_ += bytes.size();
    if (!body_.in_file_ && body_.size_ <= inline_bytes_max) {
        body_.bytes_ += bytes;
        return {};
    }
    if (!body_.in_file_) {
        body_.number_ = next_number(*body_.storage_);
        file_ = TRY(body_.storage_->files->create(body_.number_));
        body_.in_file_ = true;
        TRY(write_blocks(std::exchange(body_.bytes_, {})));
    }
    return write_blocks(bytes);
}

Result<> BodyWriter::write_blocks(std::string_view bytes) {
    auto whole = (rest_.size() + bytes.size()) / block_bytes * block_bytes;
    if (whole == 0) {
        rest_ += bytes;
        return {};
    }
    auto taken = whole - rest_.size();
    TRY(write_fully(file_, rest_, bytes.substr(0, taken)));
    rest_ = bytes.substr(taken);
    return {};
}

Result<Body> BodyWriter::finish() {
    if (body_.in_file_) {
        TRY(write_fully(file_, rest_));
        TRY(body_.storage_->files->sync(file_));
        file_ = {};
    } else {
        body_.number_ = next_number(*body_.storage_);
    }
    body_.md5_ = md5_.finish();
    body_.checksum_ = {.kind = kind_, .text = sum_.finish()};
    return std::move(body_);
}

PieceReader::PieceReader(Storage& storage, Lease lease, std::vector<Piece> pieces, Range range)
    : storage_(&storage),
      lease_(std::move(lease)),
      pieces_(std::move(pieces)),
      inside_(range.offset),
      left_(range.length) {
    while (at_ < pieces_.size() && inside_ >= pieces_[at_].size)
        inside_ -= pieces_[at_++].size;
}

Result<> PieceReader::read(std::string& to, std::size_t bytes_max) {
    while (left_ > 0 && bytes_max > 0) {
        ASSERT(at_ < pieces_.size());
        const auto& piece = pieces_[at_];
        Range range{inside_, std::min<std::uint64_t>({piece.size - inside_, left_, bytes_max})};
        {
            auto transaction = TRY(storage_->index->read());
            if (auto bytes = TRY(inline_bytes(transaction, piece.blob, range))) {
                to += *bytes;
            } else {
                auto file = TRY(storage_->files->open_file(piece.blob));
                TRY(read_file(file, range, to));
            }
        }
        inside_ += range.length;
        left_ -= range.length;
        bytes_max -= range.length;
        if (inside_ == piece.size) {
            ++at_;
            inside_ = 0;
        }
    }
    return {};
}

Result<std::vector<PieceRow>> pieces_of(sqlite::Transaction& transaction, std::int64_t content) {
    auto statement = TRY(transaction.query(
        "SELECT part, blob, size, checksum FROM pieces WHERE content = ? ORDER BY part", content));
    std::vector<PieceRow> pieces;
    while (TRY(statement.step())) {
        pieces.push_back({.part = static_cast<int>(statement.integer(0)),
                          .blob = statement.integer(1),
                          .size = static_cast<std::uint64_t>(statement.integer(2)),
                          .checksum = statement.text(3)});
    }
    return pieces;
}

Result<Content> open_content(Storage& storage, const Version& object, Range range) {
    ASSERT(range.offset + range.length <= object.size);
    auto blob = object.content;
    std::vector<PieceReader::Piece> pieces;
    if (object.part_count > 0) {
        auto transaction = TRY(storage.index->read());
        auto rows = TRY(pieces_of(transaction, object.content));
        if (rows.empty()) return Error{Fault::not_found, "the content of an object is gone"};
        for (const auto& row : rows)
            pieces.push_back({row.blob, row.size});
        // A range within one piece is as simple as an object in one piece.
        auto first = pieces.begin();
        while (first + 1 != pieces.end() && range.offset >= first->size)
            range.offset -= (first++)->size;
        pieces.erase(pieces.begin(), first);
        blob = pieces.front().blob;
    }
    if (pieces.size() > 1 && range.offset + range.length > pieces.front().size) {
        auto lease = Lease::take(storage, object.content);
        // The row is looked at again under the lease: whoever removes it from now on leaves the files.
        auto transaction = TRY(storage.index->read());
        if (!lease || TRY(pieces_of(transaction, object.content)).empty())
            return Error{Fault::not_found, "the content of an object is gone"};
        return Content(PieceReader(storage, *std::move(lease), std::move(pieces), range));
    }
    auto transaction = TRY(storage.index->read());
    if (auto bytes = TRY(inline_bytes(transaction, blob, range))) return Content(*std::move(bytes));
    auto file = TRY(storage.files->open_file(blob));
    return Content(FilePart{.file = std::move(file), .range = range});
}

Result<> copy_content(Storage& storage, const Version& from, Range range, BodyWriter& to) {
    auto content = TRY(open_content(storage, from, range));
    if (auto* bytes = std::get_if<std::string>(&content)) return to.append(*bytes);
    std::string buffer;
    if (auto* file = std::get_if<FilePart>(&content)) {
        for (auto [offset, left] = file->range; left > 0;) {
            auto count = std::min<std::uint64_t>(left, copy_bytes);
            buffer.clear();
            TRY(read_file(file->file, {offset, count}, buffer));
            TRY(to.append(buffer));
            offset += count;
            left -= count;
        }
        return {};
    }
    auto& reader = std::get<PieceReader>(content);
    while (reader.left() > 0) {
        buffer.clear();
        TRY(reader.read(buffer, copy_bytes));
        TRY(to.append(buffer));
    }
    return {};
}

}  // namespace integreat::s3
