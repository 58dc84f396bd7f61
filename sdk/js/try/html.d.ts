// SPDX-License-Identifier: Apache-2.0
declare module '*.html' {
  const text: string;
  export default text;
}
