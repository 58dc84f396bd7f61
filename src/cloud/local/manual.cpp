// SPDX-License-Identifier: Apache-2.0
#include "cloud/local/local_cloud.h"

namespace integreat::cloud {

namespace {

constexpr std::string_view introduction = R"(# The local cloud

Written by `integreat cloud --manual` from the table of operations that the program itself works with; a test
compares.

`integreat dev` runs it on port 4566, `integreat cloud` runs it alone. It speaks AWS's own protocols to
unmodified SDKs, the AWS CLI and curl, and it checks what AWS checks: every signature (SigV4 in the header and
in presigned URLs, the skew, the payload's hash, chunked bodies and their trailers), every session token and
every permission. What it refuses it refuses with AWS's codes and sentences; which part of a signature
differed and which statement denied stands in its log, and `integreat why REQUEST_ID` tells it.

```
export AWS_SHARED_CREDENTIALS_FILE=.integreat/aws-credentials   # The account's root; make users of your own.
aws --endpoint-url http://127.0.0.1:4566 sts get-caller-identity
integreat iam explain arn:aws:iam::000000000000:user/ann s3:GetObject arn:aws:s3:::a-bucket/a-key
```

It is for development and tests on one machine: one account (000000000000), one region (us-east-1), no address
but loopback. Whatever is not in these tables is answered with an error that names what is. Enforcement
can be turned off only by `integreat cloud --without-enforcement`, which says so at each start.

What it refuses it refuses with AWS's codes. The sentences were compared with those that people quote from AWS
in public; for these none was found, so do not search for them: Cognito's on the audience, the signature and
the start of a token and on quotas, STS's on forged and future tokens, SSM's and SES's besides the codes, and
what S3 says to fields that only the local cloud checks.

Quotas are the account's defaults at AWS. Each tenant needs an OpenID Connect provider; `integreat dev` asks
for more than 100 of them when there are more tenants, up to the 700 that AWS grants, and says so in its log.

Pages use it through `sdk/js` (sign-in, credentials, files); with `integreat dev` a person tries all of that,
and its refusals, at http://127.0.0.1:8080/try/APP.

Mail is never sent: `GET /_integreat/outbox` shows what would have been, `DELETE` empties it.

)";

std::string cell(std::string_view text) {
    std::string escaped;
    for (char c : text)
        escaped += c == '|' ? std::string("\\|") : std::string(1, c);
    return escaped;
}

template <class Operations>
void append_table(std::string& text, std::string_view title, const Operations& operations) {
    text.append("## ").append(title).append("\n\n");
    text += "| operation | what is supported | what is checked |\n| --- | --- | --- |\n";
    for (const About& about : operations)
        text +=
            "| `" + cell(about.name) + "` | " + cell(about.supported) + " | " + cell(about.checks) + " |\n";
    text += "\n";
}

}  // namespace

std::string manual() {
    std::string text(introduction);
    append_table(text, "Amazon Cognito Identity", cognito::operations());
    append_table(text, "AWS STS", sts::operations());
    append_table(text, "AWS IAM", iam::operations());
    s3::S3 no_storage;
    std::vector<About> of_s3;
    for (const auto& operation : s3::api(no_storage).operations)
        of_s3.push_back(operation.about);
    append_table(text, "Amazon S3", of_s3);
    append_table(text, "Amazon SES v2", ses::operations());
    append_table(text, "AWS Systems Manager Parameter Store", ssm::operations());
    text.pop_back();
    return text;
}

}  // namespace integreat::cloud
