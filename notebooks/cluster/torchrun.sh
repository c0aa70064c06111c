#!/bin/bash
# A training over ranks, one a GPU, started by torchrun: on every machine, with the same arguments.
#   NODES=2 GPUS=8 HEAD=first-machine LAB_CLUSTER_SECRET=… notebooks/cluster/torchrun.sh --config RECIPE.json --output_dir FOLDER
# torchrun starts ranks that fail again, from the last checkpoint, three times.
set -euo pipefail

: "${LAB_CLUSTER_SECRET:?the same text on every machine, such as openssl rand -hex 32 gives}"
export LAB_CLUSTER_SECRET
cd "$(dirname "$0")/../.."
exec torchrun --nnodes="${NODES:-1}" --nproc-per-node="${GPUS:-1}" --rdzv-backend=c10d --rdzv-endpoint="${HEAD:-localhost}:29400" \
  --max-restarts=3 --no-python \
  dotnet "${LAB_PROGRAM:-bin/Release/net10.0/Dreambooth.Lab.dll}" train --resume_from_checkpoint=latest "$@"
