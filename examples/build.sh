#!/usr/bin/env bash
# Builds the objects beside their sources. They are committed, so that nobody needs clang to try them.
set -euo pipefail
cd "$(dirname "$0")"
clang="${CLANG:-clang-19}"
for source in *.c; do
  "$clang" -target bpf -mcpu=v3 -O2 -ffreestanding -fno-builtin -Wall -Wextra -Werror -fno-ident -c "$source" -o "${source%.c}.o"
done
