// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "cli/program.h"

int main(int argc, char** argv) {
    return integreat::cli::run_program(argc, argv, std::cout, std::cerr);
}
