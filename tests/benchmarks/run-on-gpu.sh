#!/usr/bin/env bash
# Measures everything that is claimed about the real model's size on a machine with a GPU, PyTorch's libtorch and the .NET runtime,
# in order of importance; nothing is downloaded. Results are written as they come; a part that fails or takes too long costs only itself.
#
#   run-on-gpu.sh RESULTS [FLAGS ...]        FLAGS are added to every measurement: --tiny --device cpu shows that all of it runs
#
# RESULTS     receives results.jsonl (a line per result), table.txt (what the verbs print), parity.log, peer.txt and log.txt
# LAB_PACK    a folder that pack.sh wrote; without it, the build of this checkout and the .NET that is installed
# LIBTORCH_DIR  libtorch's folder; without it, that of the PyTorch that python3 imports, if it does
# PARTS       what to measure: speed quantization peer allocated precision parity memory start operations judge (default: all but
#             quantization, in this order)
# LIMIT_S     seconds after which no further part begins and the one in progress ends (default 570)
# DIFFUSERS_SRC, PEER  a folder that holds the package diffusers, and one with bench_diffusers.py: the reference beside the lab
# LAB_TMP     where archives are unpacked and the model folder of the part start is written (default: the temporary folder; 17 GB)
set -uo pipefail
[ $# -ge 1 ] || { sed -n '2,17p' "$0"; exit 2; }
results=$(realpath -m "$1"); shift; flags=("$@")
cd "$(dirname "$0")/../.."
started=$SECONDS; limit=${LIMIT_S:-570}; parts=${PARTS:-speed peer allocated precision parity memory start operations judge}
tmp=${LAB_TMP:-${TMPDIR:-/tmp}}/lab-gpu
mkdir -p "$results" "$tmp"
table=$results/table.txt; log=$results/log.txt; jsonl=$results/results.jsonl
failed=()

if [ -n "${LAB_PACK:-}" ]; then
  for archive in app runtime golden; do
    [ -f "$LAB_PACK/$archive.tar.xz" ] || continue
    rm -rf "${tmp:?}/$archive"; mkdir -p "$tmp/$archive"
    tar -C "$tmp/$archive" -xJf "$LAB_PACK/$archive.tar.xz" || exit 1
  done
  app=$tmp/app; bench=$tmp/app; dotnet=$tmp/runtime/dotnet; tests=$tmp/app
  export DOTNET_ROOT=$tmp/runtime
  if [ -d "$tmp/golden/golden" ]; then export LAB_GOLDEN=$tmp/golden/golden; fi
  if [ -d "$tmp/golden/tokenizers" ]; then export LAB_TOKENIZERS=$tmp/golden/tokenizers; fi
else
  for build in Release Debug; do
    app=$PWD/bin/$build/net10.0; bench=$PWD/lib/Bench/bin/$build/net10.0; tests=$PWD/tests/bin/$build/net10.0
    [ -f "$bench/Dreambooth.Lab.Bench.dll" ] && break
  done
  dotnet=$(command -v dotnet)
fi
if [ -z "${LIBTORCH_DIR:-}" ]; then
  LIBTORCH_DIR=$(python3 -c 'import os, torch; print(os.path.join(os.path.dirname(torch.__file__), "lib"))' 2>/dev/null) && export LIBTORCH_DIR || unset LIBTORCH_DIR
fi
if [ -n "${LIBTORCH_DIR:-}" ]; then
  # CUDA's own libraries lie beside PyTorch: the program asks for cudart and NVRTC by their names
  libraries=$(printf '%s:' "$LIBTORCH_DIR" "$LIBTORCH_DIR"/../../nvidia/*/lib)
  export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:-}"
fi

lab() { "$dotnet" "$app/Dreambooth.Lab.dll" "$@"; }
bench() { DOTNET_HOST_PATH=$dotnet "$dotnet" "$bench/Dreambooth.Lab.Bench.dll" "$@"; }
run_tests() { "$dotnet" exec --runtimeconfig "$app/Dreambooth.Lab.runtimeconfig.json" "$tests/Dreambooth.Lab.Tests.dll" "$@"; }
wants() { case " $parts " in *" $1 "*) return 0;; *) return 1;; esac; }
left() { echo $((limit - (SECONDS - started))); }
export -f lab bench run_tests; export dotnet app bench tests LAB_REPOSITORY=$PWD

# part TITLE SECONDS COMMAND...: its output to the table, its errors to the log
part() {
  local title=$1 most=$2; shift 2
  [ "$(left)" -lt "$most" ] && most=$(left)
  if [ "$most" -lt 5 ]; then echo "-- $title: no time left" | tee -a "$table"; failed+=("$title: no time left"); return 1; fi
  echo "-- $title" | tee -a "$table" >> "$log"
  local begun=$SECONDS code
  timeout -k 5 "$most" bash -c '"$@"' part "$@" > >(tee -a "$table") 2>> "$log"; code=$?
  echo "   ($title: code $code, $((SECONDS - begun)) s)" | tee -a "$log"
  [ $code -eq 0 ] || failed+=("$title: code $code")
  return $code
}

# rows TITLE SECONDS FLAGS -- ROWS...: in one process; those that it did not come to, each in a process of its own
rows() {
  local title=$1 most=$2 extra=(); shift 2
  while [ "$1" != -- ]; do extra+=("$1"); shift; done; shift
  local before; before=$(wc -l < "$jsonl" 2>/dev/null || echo 0)
  part "$title" "$most" bench full-size --rows "$(IFS=,; echo "$*")" --json "$jsonl" "${extra[@]}" "${flags[@]}" && return
  for row in "$@"; do
    tail -n +$((before + 1)) "$jsonl" 2>/dev/null | grep -q "\"row\":\"$row\"" || part "$title: $row" 60 bench full-size --rows "$row" --json "$jsonl" "${extra[@]}" "${flags[@]}"
  done
}

device=auto; for i in "${!flags[@]}"; do case "${flags[$i]}" in --device=*) device=${flags[$i]#*=};; --device) device=${flags[$((i + 1))]};; esac; done
[ "$device" = auto ] && command -v nvidia-smi > /dev/null && device=cuda
[ "$device" = auto ] && device=cpu

{ date -u; uname -a; nvidia-smi 2>&1; } >> "$log"
part "machine" 60 lab doctor

if wants speed; then
  rows "speed, recorded" 150 --cuda_graph -- forward-b2-large forward-b2-small lora-step lora-step-checkpointed recipe-step forward-b8-large
  rows "speed" 200 -- forward-b2-large forward-b2-small forward-b8-large lora-step lora-step-checkpointed recipe-step vae-decode vae-encode pictures
fi
if wants quantization; then
  LAB_TEST_DEVICE=$device part "quantization, parity" 60 run_tests -class "*.FusedFloat8RowsTests"
  rows "forwards in bf16 and fp8, recorded" 120 --cuda_graph -- forward-b8-large forward-b8-large-fp8 forward-b2-large forward-b2-large-fp8
  rows "pictures in bf16 and fp8" 200 -- pictures pictures-fp8 pictures-cache-3 pictures-fp8-cache-3
  part "products of bf16 and fp8" 60 python3 tests/benchmarks/fp8-products.py
  PYTORCH_CUDA_ALLOC_CONF=backend:cudaMallocAsync rows "allocated memory" 90 --repeats 1 -- forward-b8-large forward-b8-large-fp8
fi
if wants peer && [ -n "${DIFFUSERS_SRC:-}" ] && [ -n "${PEER:-}" ]; then
  mkdir -p "$tmp/peer"
  export DIFFUSERS_SRC=$(realpath "$DIFFUSERS_SRC") PEER=$(realpath "$PEER")
  nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits -lms 50 > "$tmp/peer/used" 2>/dev/null & sampler=$!
  part "the reference" 260 bash -c 'cd "$1" && PYTHONUNBUFFERED=1 python3 "$PEER/bench_diffusers.py" | tee "$2"' peer "$tmp/peer" "$results/peer.txt"
  kill "$sampler" 2>/dev/null; wait "$sampler" 2>/dev/null
  echo "the device's memory in use during the reference (NVML): at least $(sort -n "$tmp/peer/used" | head -1), at most $(sort -n "$tmp/peer/used" | tail -1) MiB" | tee -a "$table" "$results/peer.txt" > /dev/null
fi
if wants allocated; then
  # The CUDA pool's counters say exactly what tensors hold; its allocations are slower, so these rows are not the ones for times.
  PYTORCH_CUDA_ALLOC_CONF=backend:cudaMallocAsync rows "allocated memory" 150 --repeats 1 -- forward-b2-large forward-b8-large lora-step lora-step-checkpointed recipe-step vae-decode pictures
fi
if wants precision; then
  part "precision, forward" 60 bench precision --parts forward --json "$jsonl" "${flags[@]}"
  part "precision, training" 180 bench precision --parts curve --json "$jsonl" "${flags[@]}"
fi
if wants parity; then
  models=(); for folder in Native Layers Models Pipelines Peft Training Schedulers; do models+=(-class "*.Tests.$folder.*"); done
  export LAB_TEST_DEVICE=$device
  part "parity" 180 bash -c 'log=$1; shift; run_tests -trait Category=Parity "$@" > "$log" 2>&1; code=$?; tail -1 "$log"; exit $code' parity "$results/parity.log" "${models[@]}"
  if [ "$device" != cpu ]; then
    LAB_TEST_CUDA_GRAPH=1 part "parity, recorded steps" 100 bash -c \
      'run_tests -trait Category=Parity -class "*.DreamBoothTrainerParityTests" > "$1" 2>&1; code=$?; tail -1 "$1"; exit $code' parity "$results/parity-recorded.log"
  fi
fi
if wants memory; then
  # What the file has is left out: after a crash the next attempt goes on behind it.
  for attempt in 1 2 3; do
    PYTORCH_CUDA_ALLOC_CONF=backend:cudaMallocAsync part "memory, predicted and measured ($attempt)" 240 bench memory --json "$jsonl" "${flags[@]}" && break
  done
fi
if wants start; then
  part "start" 150 bench full-size --rows start,pictures-process --model_folder "$tmp/model" --json "$jsonl" "${flags[@]}"
  part "pictures, memory balanced" 90 bench full-size --rows pictures-balanced --model_folder "$tmp/model" --json "$jsonl" "${flags[@]}"
  PYTORCH_CUDA_ALLOC_CONF=backend:cudaMallocAsync part "allocated memory, balanced" 90 bench full-size --rows pictures-balanced --repeats 1 --model_folder "$tmp/model" --json "$jsonl" "${flags[@]}"
  if lab generate --help 2>/dev/null | grep -q -- '--memory'; then
    part "little memory" 150 bench full-size --rows pictures-process --generate_flags "--memory low" --model_folder "$tmp/model" --json "$jsonl" "${flags[@]}"
  fi
  rm -rf "$tmp/model"
fi

if wants operations; then
  part "operations" 60 bench operations --json "$jsonl" "${flags[@]}"
fi
if wants judge; then
  # The same pictures and sizes for the lab and for transformers; then both on two cores, without a GPU.
  judge=$tmp/judge; dtype=bf16; pictures=1000; few=64; rm -rf "$judge"
  [ "$device" = cpu ] && dtype=fp32
  case " ${flags[*]-} " in *" --tiny "*) pictures=20; few=8;; esac
  part "encoders" 120 bench encoders --pictures $pictures --workers 8 --dtype $dtype --folder "$judge" --json "$jsonl" "${flags[@]}"
  part "encoders, transformers" 180 python3 tests/benchmarks/encoders.py "$judge" --workers 8 --device "$device" --dtype $dtype --json "$jsonl"
  for backend in pil torchvision; do
    part "encoders, transformers with $backend" 180 \
      python3 tests/benchmarks/encoders.py "$judge" --workers 8 --device "$device" --dtype $dtype --backend $backend --json "$jsonl"
  done
  part "preparation beside PIL" 60 python3 tests/benchmarks/preparation.py "$judge" --out "$results/preparation.json"
  OMP_NUM_THREADS=2 part "encoders, two cores" 120 taskset -c 0,1 "$dotnet" "$bench/Dreambooth.Lab.Bench.dll" encoders \
    --pictures $few --workers 2 --dtype fp32 --folder "$judge-few" --json "$jsonl" "${flags[@]}" --device cpu
  OMP_NUM_THREADS=2 part "encoders, transformers, two cores" 120 taskset -c 0,1 \
    python3 tests/benchmarks/encoders.py "$judge-few" --workers 2 --threads 2 --device cpu --json "$jsonl"
  rm -rf "$judge" "$judge-few"
fi

echo; echo "==== $results"; cat "$table"
if [ ${#failed[@]} -gt 0 ]; then printf 'not done: %s\n' "${failed[@]}" | tee -a "$table"; exit 1; fi
