#!/usr/bin/env bash
# All that a GPU is asked, in at most eight minutes, the most telling first:
#   bash benchmarks/gpu.sh [OUT_DIR] [--device cuda|cpu]
# CNNSWEEP_DATA names a folder with MNIST/raw, its files unpacked. --device cpu rehearses it with
# few images, in float32 alone. PYTHON names another Python. A step that fails or takes too long
# ends no other one; afterwards the script exits with 1. OUT_DIR gets gpu.log, runs.csv and
# throughput_*.csv.
set -u
OUT=gpu_results DEVICE=cuda
while [ $# -gt 0 ]; do
  case $1 in
    --device) DEVICE=${2:?cuda or cpu}; shift 2 ;;
    -*) echo "usage: bash benchmarks/gpu.sh [OUT_DIR] [--device cuda|cpu]" >&2; exit 2 ;;
    *) OUT=$1; shift ;;
  esac
done
mkdir -p "$OUT" && OUT=$(realpath "$OUT") || exit 2
DATA=$(realpath "${CNNSWEEP_DATA:?a folder with MNIST/raw}") || exit 2
cd "$(dirname "$0")/.." || exit 2
PYTHON=${PYTHON:-python} RUNS=$(mktemp -d) BUDGET=450
trap 'rm -rf "$RUNS"' EXIT
if [ "$DEVICE" = cuda ]; then
  LIMIT=null SEARCH=20000 EPOCH=60000 ARTICLE=10000 ROUNDS=6 LARGE=1024 HALF=bfloat16
else
  LIMIT=600 SEARCH=300 EPOCH=256 ARTICLE=256 ROUNDS=1 LARGE=128 HALF=float32
fi
export PYTHON RUNS DATA DEVICE OUT LIMIT SEARCH EPOCH ARTICLE ROUNDS LARGE HALF CNNSWEEP_DATA=$DATA
SUMMARY=() FAILED=0

# step NAME SECONDS COMMAND…: in a process group of its own, within what is left of the budget.
step() {
  local name=$1 limit=$2 began=$SECONDS left=$((BUDGET - SECONDS)) code
  shift 2
  [ "$left" -lt "$limit" ] && limit=$left
  printf '\n== %s (at most %s s)\n' "$name" "$limit" | tee -a "$OUT/gpu.log"
  if [ "$limit" -le 5 ]; then
    code=124
  else
    timeout -k 5 "$limit" "$@" >"$RUNS/step.log" 2>&1
    code=$?
    cat "$RUNS/step.log" >>"$OUT/gpu.log"
    tail -n 30 "$RUNS/step.log"
  fi
  local said=ok
  [ "$code" = 0 ] || { said="failed ($code)" FAILED=1; }
  [ "$code" = 124 ] && said="no time left"
  SUMMARY+=("$(printf '%-34s %-14s %4s s' "$name" "$said" $((SECONDS - began)))")
}

# run FOLDER OVERRIDE…: MNIST as README has it. EXEC=exec: in the place of this process.
run() {
  local folder=$1
  shift
  ${EXEC:-} "$PYTHON" -m cnnsweep data=mnist data.root="$DATA" data.train_limit="$LIMIT" epochs=3 \
    device="$DEVICE" pictures=false hydra.run.dir="$RUNS/$folder" "$@"
}

# Killed after its second epoch, the same command ends as the run that nothing stopped.
killed_run() {
  local words=(model=resnet deterministic=true epochs=6) pid lines=0
  run unbroken "${words[@]}" || return
  EXEC=exec run killed "${words[@]}" & pid=$!
  while kill -0 "$pid" 2>/dev/null && [ "$lines" -lt 3 ]; do
    lines=$(cat "$RUNS/killed/metrics.csv" 2>/dev/null | wc -l)
    sleep 0.02
  done
  kill -9 "$pid" && echo "killed with $((lines - 1)) epochs behind it" || return
  wait "$pid" 2>/dev/null
  [ ! -e "$RUNS/killed/result.json" ] || return
  run killed "${words[@]}" || return
  "$PYTHON" - <<'END'
import os
from pathlib import Path
from tests.run_files import assert_same
runs = Path(os.environ["RUNS"])
assert_same(runs / "killed", runs / "unbroken")
print("the same figures, best.pt, last.pt and predictions")
END
}

# search WORKERS: eight trials without pruning, the same ones for any number of workers.
search() {
  "$PYTHON" -m cnnsweep --multirun search=sgd hydra/sweeper/pruner=none model=resnet data=mnist \
    data.root="$DATA" data.train_limit="$SEARCH" data.batch_size=64 epochs=3 device="$DEVICE" \
    hydra.sweeper.sampler.seed=1 hydra.sweeper.n_trials=8 hydra.sweeper.n_jobs="$1" \
    hydra.sweep.dir="$RUNS/search_$1" || return
  [ "$(cat "$RUNS/search_$1"/*/result.json | grep -c '"status": "completed"')" = 8 ]
}

throughput() {
  local name=$1
  shift
  "$PYTHON" -m benchmarks.throughput --data "$DATA" --device "$DEVICE" \
    --out "$OUT/throughput_$name.csv" --layouts channels_last "$@"
}

# table: what each run left, as runs.csv and on the terminal.
table() {
  "$PYTHON" - <<'END'
import csv
import json
import os
from pathlib import Path
from benchmarks.rows import print_rows, write_csv
runs, rows = Path(os.environ["RUNS"]), []
for file in sorted(runs.glob("*/result.json")):
    said, config = json.loads(file.read_text()), (file.parent / "config.yaml").read_text()
    with (file.parent / "metrics.csv").open() as lines:
        last = list(csv.DictReader(lines))[-1:]
    rows.append({
        "run": file.parent.name,
        "gpu": said["hardware"]["gpu"],
        "precision": said["precision"],
        "epochs": said["epochs"],
        "train_seconds": said["train_seconds"],
        "images_per_second": said["images_per_second"],
        "last_epoch_images_per_second": last[0]["images_per_second"] if last else None,
        "test_accuracy": said["test_accuracy"],
        "status": said["status"],
        "torch": said["versions"]["torch"],
    })
write_csv(Path(os.environ["OUT"]) / "runs.csv", rows, {"command": "bash benchmarks/gpu.sh"})
print_rows(rows)
END
}
export -f run killed_run search throughput table

: >"$OUT/gpu.log"
step "tests of GPUs" 170 "$PYTHON" -m pytest -m gpu -n 4 --dist load -v --timeout 110 \
  tests/training/test_gpu.py
step "a run, float32" 60 bash -c 'run float32 model=resnet'
step "a run, bfloat16" 45 bash -c 'run bfloat16 model=resnet precision="$HALF"'
step "killed and resumed" 90 bash -c killed_run
step "throughput beside a bare loop" 100 bash -c 'throughput bare --beside bare \
  --models lenet resnet --precisions float32 "$HALF" --batch-sizes 64 "$LARGE" \
  --images "$EPOCH" --rounds "$ROUNDS"'
step "throughput beside the articles'" 60 bash -c 'throughput articles --beside article \
  --models lenet resnet --precisions float32 --batch-sizes 64 --images "$ARTICLE" --rounds 2'
step "a search, 1 worker" 60 bash -c 'search 1'
step "a search, 2 workers" 60 bash -c 'search 2'
step "a search, 4 workers" 60 bash -c 'search 4'
step "a run, bfloat16, compiled" 120 bash -c \
  'run compiled model=resnet precision="$HALF" compile=true'
BUDGET=$((SECONDS + 20))
step "table of the runs" 20 bash -c table
{
  echo
  printf '%s\n' "${SUMMARY[@]}"
  echo "in all $SECONDS s; logs and CSV files in $OUT"
} | tee -a "$OUT/gpu.log"
exit "$FAILED"
