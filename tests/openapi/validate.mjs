// SPDX-License-Identifier: Apache-2.0
// Usage: validate.mjs FILE. Prints the errors of the OpenAPI document; exit code 1 if there are any.
import { compileErrors, validate } from '@readme/openapi-parser';

const result = await validate(process.argv[2]);
if (!result.valid) {
    console.error(compileErrors(result));
    process.exit(1);
}
if (result.warnings.length > 0) {
    console.log(compileErrors(result));
}
console.log(`valid ${result.specification}`);
