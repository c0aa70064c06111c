#!/usr/bin/env bash
# Measures training over the GPUs of one host: speed, curves, lost and stopped ranks, resuming with another number, and the reference
# under accelerate beside it. Nothing is downloaded; a part that fails or takes too long costs only itself.
#
#   ranks.sh RESULTS [COUNT]      COUNT ranks (default 2), one a GPU; DEVICE=cpu SIZE=--tiny shows that all of it runs
#
# RESULTS     receives ranks.jsonl (rows of the benchmark), ranks.txt (what was seen) and log.txt
# LAB         the command that starts the program, BENCH the one that starts the benchmarks (default: the builds of this checkout)
# STEPS       of a curve (default 60; a multiple of 3); ROUNDS of the speed (default 2)
# PARTS       speed curves faults reference restarts sweep (default: all, in this order)
# LIMIT_S     seconds after which no further part begins and the one in progress ends (default 560)
# DIFFUSERS_SRC, SCRIPT  the reference: a folder that holds the package diffusers, and its train_dreambooth_lora_sd3.py
set -uo pipefail
[ $# -ge 1 ] || { sed -n '2,14p' "$0"; exit 2; }
results=$(realpath -m "$1"); count=${2:-2}; device=${DEVICE:-cuda}; size=${SIZE:-}
cd "$(dirname "$0")/../.." || exit
LAB=${LAB:-dotnet $PWD/bin/Release/net10.0/Dreambooth.Lab.dll}; BENCH=${BENCH:-dotnet $PWD/lib/Bench/bin/Release/net10.0/Dreambooth.Lab.Bench.dll}
parts=${PARTS:-speed curves faults reference restarts sweep}; limit=${LIMIT_S:-560}; steps=${STEPS:-60}; started=$SECONDS
mkdir -p "$results"; work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
table=$results/ranks.txt; log=$results/log.txt; jsonl=$results/ranks.jsonl
say() { echo "$@" | tee -a "$table"; }
left() { echo $((limit - (SECONDS - started))); }
wants() { case " $parts " in *" $1 "*) [ "$(left)" -gt 10 ] || { say "-- $1: no time left"; false; };; *) false;; esac; }
few() { local most=$1; shift; [ "$(left)" -lt "$most" ] && most=$(left); timeout -k 5 "$most" "$@"; }

# ranked N COMMAND...: as a launcher would, one process a GPU; rank 0's output and code
ranked() {
  local n=$1 port=$((29600 + RANDOM % 300)) rank pids=(); shift
  export LAB_CLUSTER_SECRET=$RANDOM$RANDOM$RANDOM$RANDOM$RANDOM$RANDOM$RANDOM$RANDOM
  for rank in $(seq 1 $((n - 1))); do
    RANK=$rank LOCAL_RANK=$rank WORLD_SIZE=$n MASTER_ADDR=127.0.0.1 MASTER_PORT=$port ${ONE_VISIBLE:+env CUDA_VISIBLE_DEVICES=$rank} "$@" > "$work/rank$rank" 2>&1 & pids+=($!)
  done
  RANK=0 LOCAL_RANK=0 WORLD_SIZE=$n MASTER_ADDR=127.0.0.1 MASTER_PORT=$port "$@"; local code=$?
  wait "${pids[@]}"; cat "$work"/rank[0-9]* >> "$log"; unset LAB_CLUSTER_SECRET
  return $code
}

# The cat on the miniature, in float32, without a time in it: what ranks must agree on.
training() { # FOLDER STEPS FLAGS...
  local folder=$1 steps=$2; shift 2
  echo $LAB train --pretrained_model_name_or_path data/sd3-mini --instance_data_dir data/cat_gmc --instance_prompt 'a_photo_of_gmc_cat' --output_dir "$folder" \
    --resolution 128 --rank 4 --train_batch_size 1 --learning_rate 1e-3 --lr_warmup_steps 0 --train_text_encoder --max_sequence_length 32 --seed 7 \
    --mixed_precision no --device "$device" --max_train_steps "$steps" "$@"
}
compare() { python3 - "$@" <<'P'
import json, sys
title, *runs = sys.argv[1:]
curves = [[json.loads(line)["loss"] for line in open(run + "/steps.jsonl")] for run in runs]
n = min(map(len, curves))
worst = max(abs(a - b) / abs(a) for other in curves[1:] for a, b in zip(curves[0], other))
print(f"{title}: {[len(c) for c in curves]} steps, loss {curves[0][0]:.5f} to {curves[0][-1]:.5f}, at most {worst:.2e} apart (relative)")
P
}

{ date -u; nvidia-smi -L; nvidia-smi topo -m; } >> "$log" 2>&1
say "$(nvidia-smi -L 2>/dev/null | wc -l) GPUs; $count ranks; device $device"

if wants speed; then
  visible=("" "" yes) # each rank sees all GPUs, then only its own
  for round in $(seq "${ROUNDS:-2}"); do
    say "-- speed, one rank ($round)"
    few 100 $BENCH full-size $size --device "$device" --cuda_graph --rows lora-step,recipe-step --json "$jsonl" 2>> "$log" | tee -a "$table"
    say "-- speed, $count ranks ($round)"
    ONE_VISIBLE=${visible[$round]:-yes} ranked "$count" timeout -k 5 120 $BENCH full-size $size --device "$device" --cuda_graph --rows lora-step,recipe-step,all-reduce --json "$jsonl" 2>> "$log" | tee -a "$table"
  done
fi

if wants curves; then
  say "-- curves: one seed and one global batch"
  few 90 $(training "$work/one" $steps --gradient_accumulation_steps "$count" --cuda_graph) >> "$log" 2>&1; say "one rank: code $?"
  few 90 $(training "$work/all" $steps --num_processes "$count" --cuda_graph) >> "$log" 2>&1; say "$count ranks: code $?"
  few 90 $(training "$work/plain" $steps --num_processes "$count" --cuda_graph=false) >> "$log" 2>&1; say "$count ranks, steps not recorded: code $?"
  say "$(compare "one rank, $count ranks" "$work/one" "$work/all")"
  say "$(compare "one rank, $count ranks not recorded" "$work/one" "$work/plain")"
  say "-- resumed $count → 1 → $count"
  few 60 $(training "$work/parts" $((steps / 3)) --num_processes "$count" --checkpointing_steps $((steps / 3)) --cuda_graph) >> "$log" 2>&1
  few 60 $(training "$work/parts" $((steps / 3 * 2)) --gradient_accumulation_steps "$count" --checkpointing_steps $((steps / 3)) --resume_from_checkpoint latest --cuda_graph) >> "$log" 2>&1
  few 60 $(training "$work/parts" $steps --num_processes "$count" --checkpointing_steps $((steps / 3)) --resume_from_checkpoint latest --cuda_graph) >> "$log" 2>&1; say "code $?"
  say "$(compare "uninterrupted, resumed twice" "$work/all" "$work/parts")"
fi

rank_one() { { for p in /proc/[0-9]*; do tr '\0' '\n' < "$p/environ" | grep -qx 'RANK=1' && tr '\0' ' ' < "$p/cmdline" | grep -q "dotnet.*$1" && basename "$p"; done | head -1; } 2> /dev/null; }
await_steps() { for _ in $(seq 600); do [ -f "$1/steps.jsonl" ] && [ "$(wc -l < "$1/steps.jsonl")" -ge "$2" ] && return; sleep 0.1; done; }
if wants faults; then
  for signal in KILL STOP; do
    say "-- rank 1 receives SIG$signal while it trains"
    LAB_HEARTBEAT_SECONDS=8 few 110 $(training "$work/$signal" 1000000 --num_processes "$count" --checkpointing_steps 1000000 --cuda_graph) > "$work/said" 2>&1 & run=$!
    await_steps "$work/$signal" $((steps / 2)); victim=$(rank_one "$work/$signal"); at=$(date +%s.%N)
    kill -$signal "$victim"
    [ $signal = STOP ] && { for _ in $(seq 400); do grep -q 'was silent' "$work/said" && break; sleep 0.1; done; python3 -c "import time; print(f'told after {time.time() - $at:.1f} s')" | tee -a "$table"; kill -CONT "$victim" 2>/dev/null; }
    wait $run; code=$?
    say "$(python3 -c "import time; print(f'all ended after {time.time() - $at:.1f} s, code $code')"); steps $(wc -l < "$work/$signal/steps.jsonl"), checkpoints $(ls -d "$work/$signal"/checkpoint-* | xargs -n1 basename | tr '\n' ' ')"
    grep -E 'error|Rank|rank' "$work/said" | tail -3 | tee -a "$table"; cat "$work/said" >> "$log"
    few 60 $(training "$work/$signal" $(($(wc -l < "$work/$signal/steps.jsonl") + steps / 3)) --num_processes "$count" --resume_from_checkpoint latest --cuda_graph) >> "$log" 2>&1; say "goes on: code $?, steps $(wc -l < "$work/$signal/steps.jsonl")"
  done
fi

model=$work/model
if wants sweep || wants reference; then
  say "-- a model folder at full size with random weights"
  few 120 $BENCH full-size $size --device "$device" --rows model-folder --model_folder "$model" 2>> "$log" | tee -a "$table"
fi
if wants reference && [ -n "${DIFFUSERS_SRC:-}" ] && [ -f "$model/model_index.json" ]; then
  for n in 1 "$count"; do
    say "-- the reference under accelerate, $n processes"
    few 150 python3 -m accelerate.commands.launch --num_processes "$n" --num_machines 1 --mixed_precision bf16 --dynamo_backend no $([ "$n" -gt 1 ] && echo --multi_gpu) tests/benchmarks/timed-reference.py "accelerate-$n" "$SCRIPT" \
      --pretrained_model_name_or_path "$model" --instance_data_dir data/cat_gmc --instance_prompt 'a photo of gmc cat' --resolution 512 --train_batch_size 2 --rank 4 \
      --max_train_steps 24 --mixed_precision bf16 --max_sequence_length 77 --output_dir "$work/reference" --report_to tensorboard --seed 0 > "$work/said" 2>&1
    code=$?; grep RESULT "$work/said" | tee -a "$table"; [ $code -eq 0 ] || tail -5 "$work/said" | tee -a "$table"; cat "$work/said" >> "$log"
  done
fi
if wants restarts && python3 -c "import torch.distributed.run" 2> /dev/null; then
  say "-- torchrun --max_restarts 1, rank 1 killed"
  command=$(training "$work/restarted" $((steps * 6)) --checkpointing_steps $steps --resume_from_checkpoint latest --cuda_graph)
  LAB_CLUSTER_SECRET=$RANDOM$RANDOM$RANDOM$RANDOM$RANDOM$RANDOM$RANDOM few 120 python3 -m torch.distributed.run --standalone --no-python --nproc-per-node "$count" --max-restarts 1 $command > "$work/said" 2>&1 & run=$!
  await_steps "$work/restarted" $((steps * 2)); kill -KILL "$(rank_one "$work/restarted")"; wait $run
  say "code $?, steps $(wc -l < "$work/restarted/steps.jsonl")"; cat "$work/said" >> "$log"
  few 60 $(training "$work/whole" $((steps * 6)) --num_processes "$count" --cuda_graph) >> "$log" 2>&1
  say "$(compare 'uninterrupted, restarted' "$work/whole" "$work/restarted")"
fi

if wants sweep && [ -f "$model/model_index.json" ]; then
  printf 'a photo of gmc cat %s\n' in\ snow at\ night on\ a\ beach in\ a\ box > "$work/prompts"
  for n in 1 "$count"; do
    say "-- 16 pictures of a sweep in $n parts"
    rm -rf "$work/sweep"; begun=$(date +%s.%N); pids=()
    for part in $(seq 0 $((n - 1))); do
      RANK=$part LOCAL_RANK=$part WORLD_SIZE=$n MASTER_ADDR=127.0.0.1 MASTER_PORT=29500 few 120 $LAB generate --model "$model" --prompts_file "$work/prompts" --num_images 4 --num_steps 28 --height 1024 --width 1024 --seed 0 --device "$device" --cuda_graph \
        --shard auto --outdir "$work/sweep" > "$work/part$part" 2>&1 & pids+=($!)
    done
    wait "${pids[@]}"; say "$(python3 -c "import time; print(f'{time.time() - $begun:.1f} s from start to end')"), $(find "$work/sweep" -name '*.png' | wc -l) pictures"
    cat "$work"/part[0-9]* >> "$log"; (cd "$work/sweep" && find . -name '*.png' -print0 | sort -z | xargs -0 sha256sum | sha256sum) | tee -a "$table"
  done
fi
say "$((SECONDS - started)) s in all"
