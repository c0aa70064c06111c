#!/usr/bin/env bash
# Packs the lab, its tests, the .NET runtime and, on request, the golden fixtures for a Linux x64 machine that has a GPU and
# PyTorch, but no .NET SDK and perhaps no network.
#
#   pack.sh OUT [GOLDEN [TOKENIZERS]]
#
# OUT         receives app.tar.xz (the program and its tests), runtime.tar.xz and golden.tar.xz; run-on-gpu.sh unpacks them (LAB_PACK=OUT)
# GOLDEN      the folder of the golden fixtures, for the parity tests
# TOKENIZERS  the folder with clip/ and t5/ tokenizer files that they need
#
# LAB_PUBLISHED=FOLDER takes what `dotnet publish` left in FOLDER/lab and FOLDER/tests instead of publishing anew.
set -euo pipefail
out=$(realpath -m "$1"); golden=${2:-}; tokenizers=${3:-}
cd "$(dirname "$0")/../.."
mkdir -p "$out"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

published=${LAB_PUBLISHED:-$work}
if [ -z "${LAB_PUBLISHED:-}" ]; then
  dotnet publish lib/Bench -c Release -r linux-x64 --no-self-contained -o "$published/lab" -v q -clp:NoSummary
  dotnet publish tests -c Release -r linux-x64 --no-self-contained -o "$published/tests" -v q -clp:NoSummary
fi

# One folder for both: what the tests need besides is little. Without .deps.json the runtime takes every assembly that lies there,
# so that large ones which a benchmark does not load can stay behind; libtorch is the other machine's.
mkdir "$work/app"
tar -C "$published/lab" -cf - --exclude='*.deps.json' --exclude='*.pdb' --exclude='*.xml' --exclude='Microsoft.CodeAnalysis*' --exclude='Microsoft.DiaSymReader*' \
    --exclude='libtorch*' --exclude='libc10*' --exclude='libgomp*' --exclude='libaoti*' --exclude='libbackend*' --exclude='libjitbackend*' --exclude='libnnapi*' --exclude='libshm*' \
    --exclude='Dreambooth.Lab.Kernel.runtimeconfig.json' . | tar -C "$work/app" -xf -
cp "$published"/tests/{Dreambooth.Lab.Tests.dll,xunit.*} "$work/app/"
tar -C "$work/app" -cf - . | xz -9 -T0 > "$out/app.tar.xz"

if [ ! -f "$out/runtime.tar.xz" ]; then
  root=$(dirname "$(readlink -f "$(command -v dotnet)")")
  # without the debugger's libraries and a few large assemblies that a numerical program does not load
  tar -C "$root" --exclude='*mscordac*' --exclude='*mscordbi*' --exclude='*traceptprovider*' --exclude='*superpmi*' --exclude='Microsoft.VisualBasic*' \
      --exclude='System.Private.DataContractSerialization.dll' --exclude='System.Data.Common.dll' -cf - dotnet host shared/Microsoft.NETCore.App | xz -9 -T0 > "$out/runtime.tar.xz"
fi

if [ -n "$golden" ]; then
  mkdir "$work/golden"
  # pictures are compared on the processor only
  tar -C "$golden" --exclude='./images' --exclude='*.py' -cf - . | tar -C "$work/golden" -xf -
  tar -C "$work" -cf - golden ${tokenizers:+-C "$(dirname "$(realpath "$tokenizers")")" "$(basename "$tokenizers")"} | xz -9 -T0 > "$out/golden.tar.xz"
fi
ls -l "$out"
