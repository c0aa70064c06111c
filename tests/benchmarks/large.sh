#!/usr/bin/env bash
# Stable Diffusion 3.5-large (8 B parameters, random weights) on one card: steps and forwards with all of it, then pictures of 1024 pixels
# with 16 GiB left of the card and a training at 512 pixels with 24 GiB left, the rest held by another process; diffusers with offloading
# beside it. A part that fails or takes too long costs only itself.
#
#   large.sh RESULTS
#
# RESULTS     receives large.jsonl (rows of the benchmark), large.txt (what was seen) and log.txt
# LAB, BENCH  the commands that start the program and the benchmarks (default: the builds of this checkout)
# PARTS       speed pictures training reference (default: all)
# LIMIT_S     seconds after which no further part begins and the one in progress ends (default 560)
# OFFLOADING  of the reference: model sequential group (default: all)
# DIFFUSERS_SRC  a folder that holds the package diffusers
set -uo pipefail
[ $# -ge 1 ] || { sed -n '2,15p' "$0"; exit 2; }
results=$(realpath -m "$1")
cd "$(dirname "$0")/../.." || exit
LAB=${LAB:-dotnet $PWD/bin/Release/net10.0/Dreambooth.Lab.dll}; BENCH=${BENCH:-dotnet $PWD/lib/Bench/bin/Release/net10.0/Dreambooth.Lab.Bench.dll}
parts=${PARTS:-speed pictures training reference}; limit=${LIMIT_S:-560}; started=$SECONDS
mkdir -p "$results"; work=$(mktemp -d); trap 'rm -rf "$work"; kill $(jobs -p) 2> /dev/null' EXIT
table=$results/large.txt; log=$results/log.txt; jsonl=$results/large.jsonl; model=$work/model
say() { echo "$@" | tee -a "$table"; }
left() { echo $((limit - (SECONDS - started))); }
wants() { case " $parts " in *" $1 "*) [ "$(left)" -gt 10 ] || { say "-- $1: no time left"; false; };; *) false;; esac; }
few() { local most=$1; shift; [ "$(left)" -lt "$most" ] && most=$(left); timeout -k 5 "$most" "$@"; }

# leave GIB: another process holds the rest of the card until `release`
leave() {
  python3 - "$1" "$work/held" > "$work/ballast" 2>&1 <<'P' & ballast=$!
import sys, time, torch
free, _ = torch.cuda.mem_get_info()
kept = torch.empty(free - int(sys.argv[1]) * 2**30, dtype=torch.uint8, device="cuda")
open(sys.argv[2], "w").write("held")
time.sleep(3600)
P
  for _ in $(seq 300); do [ -f "$work/held" ] && break; sleep 0.1; done; rm -f "$work/held"
  base=$(nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits); cat "$work/ballast" >> "$log"
  say "$(nvidia-smi --query-gpu=memory.free --format=csv,noheader) left of the card"
}
release() { kill "$ballast"; wait "$ballast" 2> /dev/null; }
watch_memory() { nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits -lms 50 > "$work/used" & sampler=$!; }
peak() { kill "$sampler"; wait "$sampler" 2> /dev/null; say "at most $(( $(sort -n "$work/used" | tail -1) - base )) MiB of it in use"; }

if wants speed; then
  say "-- the whole model on the card"
  few 120 $BENCH full-size --model large --cuda_graph --rows forward-b2-large,forward-b2-small,lora-step,lora-step-checkpointed --json "$jsonl" 2>> "$log" | tee -a "$table"
fi
if wants pictures || wants training || wants reference; then
  few 120 $BENCH full-size --model large --rows model-folder --model_folder "$model" 2>> "$log" | tee -a "$table"
fi
if wants pictures; then
  for n in 1 4; do
    say "-- generate, $n of 1024 pixels, 28 steps, with 16 GiB"
    leave 16; watch_memory; begun=$(date +%s.%N)
    few 150 $LAB generate --model "$model" --prompt 'a photo of a cat' --num_images $n --num_steps 28 --height 1024 --width 1024 --dtype bf16 --seed 0 --outdir "$work/pictures$n" > "$work/said" 2>&1
    say "code $?, $(python3 -c "import time; print(f'{time.time() - $begun:.1f} s from start to end')")"; peak; release
    grep -E 'Memory mode|Generated|second|error' "$work/said" | tail -3 | tee -a "$table"; cat "$work/said" >> "$log"
  done
fi
if wants training; then
  say "-- train, 512 pixels, batch 1, rank 4, with 24 GiB"
  leave 24; watch_memory
  few 150 $LAB train --pretrained_model_name_or_path "$model" --instance_data_dir data/cat_gmc --instance_prompt 'a photo of gmc cat' --resolution 512 --train_batch_size 1 --rank 4 \
    --mixed_precision bf16 --max_train_steps 40 --seed 0 --output_dir "$work/lora" > "$work/said" 2>&1
  say "code $?"; peak; release; grep -E 'Memory mode|steps in|error' "$work/said" | tail -3 | tee -a "$table"; tail -2 "$work/lora/steps.jsonl" | tee -a "$table"; cat "$work/said" >> "$log"
fi
if wants reference && [ -n "${DIFFUSERS_SRC:-}" ]; then
  for how in ${OFFLOADING:-model sequential group}; do
    say "-- diffusers, one of 1024 pixels with 16 GiB, offloading: $how"
    leave 16; watch_memory
    few 120 python3 tests/benchmarks/offloaded.py "$model" $how > "$work/said" 2>&1
    say "code $?"; peak; release; grep -E 'RESULT|Error' "$work/said" | tail -2 | cut -c1-300 | tee -a "$table"; cat "$work/said" >> "$log"
  done
fi
say "$((SECONDS - started)) s in all"
