// SPDX-License-Identifier: Apache-2.0
// Parses forms with files: the same bytes in one chunk and in many chunks must give the same form or both be
// refused.
#include <cstdlib>

#include "cloud/s3/protocol/form.h"
#include "cloud/s3/protocol/post_policy.h"

namespace {

using namespace integreat::s3;

struct Form {
    bool valid = false;
    Pairs fields;
    std::string file;
};

Form parse(std::string_view bytes, std::size_t chunk_bytes) {
    Form form;
    auto reader = FormReader::make("multipart/form-data; boundary=b");
    if (!reader) std::abort();
    FormReader::Events events{.on_file = [](const FormReader::File&) { return AwsResult<>(); },
                              .on_file_bytes =
                                  [&form](std::string_view more) {
                                      form.file += more;
                                      return AwsResult<>();
                                  }};
    for (std::size_t at = 0; at < bytes.size(); at += chunk_bytes) {
        if (!reader->feed(bytes.substr(at, chunk_bytes), events)) return form;
    }
    form.valid = static_cast<bool>(reader->finish());
    form.fields = reader->fields();
    return form;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    std::string_view text(reinterpret_cast<const char*>(bytes), count);
    auto whole = parse(text, count + 1);
    auto chunked = parse(text, 7);
    if (whole.valid != chunked.valid) std::abort();
    if (whole.valid && (whole.fields != chunked.fields || whole.file != chunked.file)) std::abort();
    if (auto policy = parse_post_policy(text))
        (void)check_post_policy(*policy, {{"key", "a"}}, "bucket", integreat::from_unix_seconds(0));
    return 0;
}
