// SPDX-License-Identifier: Apache-2.0
#include "http/message/body_stream.h"

#include <unistd.h>

namespace integreat::http {

OpenFile::~OpenFile() {
    ::close(descriptor_);
}

}  // namespace integreat::http
