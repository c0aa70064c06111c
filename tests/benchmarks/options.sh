#!/usr/bin/env bash
# The trainer's options on a device: the cat on the miniature in float32, each option with captured steps and without. Says how far the two
# curves are apart, what a step takes and how far the curve is from that without it.
#
#   options.sh RESULTS
#
# RESULTS  receives options.txt and log.txt; the run of the option `watched` stays there for tensorboard-events.py
# LAB      the command that starts the program (default: the build of this checkout); DEVICE, STEPS: default cuda, 24
# OPTIONS  names of those to run (default: all)
# LIMIT_S  seconds after which no further option begins (default 560)
set -uo pipefail
[ $# -ge 1 ] || { sed -n '2,11p' "$0"; exit 2; }
results=$(realpath -m "$1"); device=${DEVICE:-cuda}; steps=${STEPS:-24}; limit=${LIMIT_S:-560}; started=$SECONDS
cd "$(dirname "$0")/../.." || exit
LAB=${LAB:-dotnet $PWD/bin/Release/net10.0/Dreambooth.Lab.dll}
mkdir -p "$results"; work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; table=$results/options.txt; log=$results/log.txt
cp -r data/cat_gmc "$work/other"; cp -r data/cat_gmc "$work/masks" # A mask is a picture of any levels.
cat > "$work/subjects.json" <<J
[{"instance_data_dir": "$PWD/data/cat_gmc", "instance_prompt": "a photo of gmc cat"},
 {"instance_data_dir": "$work/other", "instance_prompt": "a photo of zwx dog", "repeats": 2, "loss_weight": 0.5}]
J
one=(--instance_data_dir data/cat_gmc --instance_prompt "a photo of gmc cat")
declare -A flags=(
  [plain]="" [accumulated]="--gradient_accumulation_steps 3" [fp16]="--mixed_precision fp16" [bf16]="--mixed_precision bf16"
  [teacher]="--with_prior_preservation --prior_from teacher --class_prompt cat" [blank]="--blank_prompt_preservation"
  [huber]="--loss_type huber --huber_schedule exponential" [shifted]="--timestep_shift 3" [subjects]="--subjects $work/subjects.json"
  [captions]="--caption_dropout 0.3" [augmented]="--augment_each_epoch --random_flip" [init]="--init_lora data/gmc-cat-lora"
  [buckets]="--aspect_buckets" [cached]="--cache_latents --latents_cache $work/cache" [masked]="--mask folder --mask_data_dir $work/masks"
  [held]="--mask folder --mask_data_dir $work/masks --masked_prior_weight 1" [ema]="--use_ema" [spike]="--stop_on_spike"
  [checkpointed]="--gradient_checkpointing" [prodigy]="--optimizer prodigy --learning_rate 1" [watched]="--validation_prompt cat --validation_steps 12 --num_validation_images 1 --validation_inference_steps 4"
)
run() { # FOLDER CAPTURED FLAGS...
  local folder=$1 captured=$2; shift 2
  local data=("${one[@]}") rank=(--rank 4); case "$*" in *--subjects*) data=();; *--init_lora*) rank=();; esac
  $LAB train --pretrained_model_name_or_path data/sd3-mini "${data[@]}" "${rank[@]}" --resolution 128 --train_batch_size 2 --learning_rate 1e-3 \
    --train_text_encoder --max_sequence_length 32 --seed 7 --device "$device" --max_train_steps "$steps" --output_dir "$folder" --cuda_graph="$captured" "$@" >> "$log" 2>&1
}
for name in ${OPTIONS:-plain accumulated bf16 fp16 teacher blank huber shifted subjects captions augmented init buckets cached masked held ema spike checkpointed prodigy watched}; do
  [ $((SECONDS - started)) -lt "$limit" ] || { echo "$name: no time left" | tee -a "$table"; continue; }
  codes=()
  for captured in true false; do
    # shellcheck disable=SC2086
    run "$work/$name-$captured" $captured ${flags[$name]}; codes+=($?)
  done
  python3 - "$name" "${codes[*]}" "$work/$name-true" "$work/$name-false" "$work/plain-true" <<'P' | tee -a "$table"
import json, statistics, sys
name, codes, *folders = sys.argv[1:]
try:
    captured, plain, base = ([json.loads(line) for line in open(f + "/steps.jsonl")] for f in folders)
    apart = max(abs(a["loss"] - b["loss"]) / abs(b["loss"]) for a, b in zip(captured, plain))
    other = statistics.mean(abs(a["loss"] - b["loss"]) / abs(b["loss"]) for a, b in zip(captured, base))
    ms = [1000 * statistics.median(s["seconds"] for s in run[len(run) // 3:]) for run in (captured, plain)]
    print(f"{name}: codes {codes}, {len(captured)} steps, captured and plain at most {apart:.1e} apart, {ms[0]:.1f} and {ms[1]:.1f} ms; "
          f"from no option {other:.1e} on average; last loss {captured[-1]['loss']:.4f}")
except Exception as error:
    print(f"{name}: codes {codes}, {error!r}")
P
  [ "$name" = watched ] && cp -r "$work/watched-true" "$results/watched"
done
echo "$((SECONDS - started)) s in all" | tee -a "$table"
