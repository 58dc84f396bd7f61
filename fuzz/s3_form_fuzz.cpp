// SPDX-License-Identifier: Apache-2.0
// Forms with files: the same bytes in one piece and in many are the same form, or refused alike.
#include <cstdlib>

#include "cloud/s3/protocol/form.h"
#include "cloud/s3/protocol/post_policy.h"

namespace {

using namespace integreat::s3;

struct Form {
    bool good = false;
    Pairs fields;
    std::string file;
};

Form read(std::string_view bytes, std::size_t piece) {
    Form form;
    auto reader = FormReader::begin("multipart/form-data; boundary=b");
    if (!reader) std::abort();
    FormReader::Events events{.file_begins = [](const FormReader::File&) { return Tried<>(); },
                              .file_bytes =
                                  [&form](std::string_view more) {
                                      form.file += more;
                                      return Tried<>();
                                  }};
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        if (!reader->feed(bytes.substr(at, piece), events)) return form;
    }
    form.good = static_cast<bool>(reader->finish());
    form.fields = reader->fields();
    return form;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    std::string_view text(reinterpret_cast<const char*>(bytes), count);
    auto whole = read(text, count + 1);
    auto pieces = read(text, 7);
    if (whole.good != pieces.good) std::abort();
    if (whole.good && (whole.fields != pieces.fields || whole.file != pieces.file)) std::abort();
    if (auto policy = parse_post_policy(text))
        (void)check_post_policy(*policy, {{"key", "a"}}, "bucket", integreat::from_unix_seconds(0));
    return 0;
}
