#!/usr/bin/env bash
# Builds the objects beside their sources. They are committed, so that nobody needs clang to try them. -g is for the types of maps
# and the C lines in listings (BTF); DWARF, which nothing here reads, is stripped.
set -euo pipefail
cd "$(dirname "$0")"
clang="${CLANG:-clang-19}"
strip="${LLVM_STRIP:-llvm-strip-19}"
for source in *.c; do
  object="${source%.c}.o"
  "$clang" -target bpf -mcpu=v3 -O2 -g -ffile-prefix-map="$PWD=" -ffreestanding -fno-builtin -Wall -Wextra -Werror -fno-ident \
    -c "$source" -o "$object"
  "$strip" --strip-debug "$object"
done
