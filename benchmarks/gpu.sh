#!/usr/bin/env bash
# All that a GPU is asked, in at most eight minutes, the most telling first:
#   bash benchmarks/gpu.sh [OUT_DIR] [--device cuda|cpu] [--only PART…] [--seconds N]
# CNNSWEEP_DATA names a folder with MNIST/raw, its files unpacked. --device cpu rehearses it with
# tiny sizes. PYTHON names another Python. --only runs the parts named, --seconds is another limit
# of the whole. A part that fails or takes too long ends no other one; afterwards the script exits
# with 1. A rehearsal has four times the time. OUT_DIR, which may not hold an earlier call's
# gpu.log, gets gpu.log, networks.csv, recipes.csv, searches.csv, stacking.csv,
# processes.csv, profile.txt, throughput_bare.csv and ray.csv, each as soon as it has its first row.
set -u
ALL=(tests networks fast search stacking profile workers processes recipes batch_sizes killed bare ray)
usage() {
  echo "usage: bash benchmarks/gpu.sh [OUT_DIR] [--device cuda|cpu] [--only PART…] [--seconds N]" >&2
  echo "parts: ${ALL[*]}" >&2
  exit 2
}
OUT=gpu_results DEVICE=cuda BUDGET=460 PARTS=() TIMES=1
while [ $# -gt 0 ]; do
  case $1 in
    --device) DEVICE=${2:-}; shift; [ $# -gt 0 ] && shift ;;
    --seconds) BUDGET=${2:-}; shift; [ $# -gt 0 ] && shift ;;
    --only)
      shift
      while [ $# -gt 0 ] && [[ $1 != -* ]]; do
        [[ " ${ALL[*]} " == *" $1 "* ]] || { echo "no part is called $1" >&2; usage; }
        PARTS+=("$1"); shift
      done ;;
    -*) usage ;;
    *) OUT=$1; shift ;;
  esac
done
[[ $DEVICE =~ ^(cuda|cpu)$ && $BUDGET =~ ^[0-9]+$ ]] || usage
[ ${#PARTS[@]} -gt 0 ] || PARTS=("${ALL[@]}")
if [ -e "$OUT/gpu.log" ]; then
  echo "$OUT holds the results of an earlier call: name another folder" >&2
  exit 2
fi
DATA=$(realpath "${CNNSWEEP_DATA:?a folder with MNIST/raw}") || exit 2
mkdir -p "$OUT" && OUT=$(realpath "$OUT") || exit 2
cd "$(dirname "$0")/.." || exit 2
PYTHON=${PYTHON:-python} RUNS=$(mktemp -d) CALLED="bash benchmarks/gpu.sh --device $DEVICE"
trap 'rm -rf "$RUNS"' EXIT
if [ "$DEVICE" = cuda ]; then
  LIMIT=null SEARCH=20000 NETWORKS=20000 EPOCHS=3 LONG=10 RECIPES=null
  TRIALS=64 ALONE=16 STACKS="64 16 4" TESTS=150 TESTERS=8
else
  LIMIT=600 SEARCH=300 NETWORKS=200 EPOCHS=2 LONG=2 RECIPES=200
  TRIALS=4 ALONE=2 STACKS="4 2" TESTS=60 TESTERS=1 TIMES=4
fi
export PYTHON RUNS DATA DEVICE OUT LIMIT SEARCH NETWORKS EPOCHS LONG RECIPES TRIALS ALONE STACKS
export CALLED TESTERS CNNSWEEP_DATA=$DATA PYTHONUNBUFFERED=1
SUMMARY=() FAILED=0

# step NAME SECONDS COMMAND…: in a process group of its own, within what is left of the budget;
# then the tables of the runs that there are by now.
step() {
  local name=$1 limit=$2 began=$SECONDS left code said=ok
  shift 2
  limit=$((limit * TIMES)) left=$((BUDGET * TIMES - SECONDS))
  [ "$left" -lt "$limit" ] && limit=$left
  printf '\n== %s (at most %s s)\n' "$name" "$limit" | tee -a "$OUT/gpu.log"
  if [ "$limit" -le 5 ]; then
    code=124
  else
    timeout -k 5 "$limit" "$@" >"$RUNS/step.log" 2>&1
    code=$?
    cat "$RUNS/step.log" >>"$OUT/gpu.log"
    tail -n 25 "$RUNS/step.log" | cut -c 1-300
    timeout 20 "$PYTHON" -m benchmarks.gpu_tables "$RUNS" "$OUT" --called "$CALLED" 2>&1 |
      tee -a "$OUT/gpu.log"
    [ "${PIPESTATUS[0]}" = 0 ] || FAILED=1
  fi
  case $code in
    0) ;;
    124 | 137) said="no time left" FAILED=1 ;;
    3) said="skipped" ;;
    *) said="failed ($code)" FAILED=1 ;;
  esac
  SUMMARY+=("$(printf '%-34s %-14s %4s s' "$name" "$said" $((SECONDS - began)))")
}

# run FOLDER OVERRIDE…: MNIST as README has it. EXEC=exec: in the place of this process.
run() {
  local folder=$1
  shift
  ${EXEC:-} "$PYTHON" -m cnnsweep data=mnist data.root="$DATA" data.train_limit="$LIMIT" \
    device="$DEVICE" pictures=false hydra.run.dir="$RUNS/$folder" "$@"
}

# grid FOLDER OVERRIDE…: jobs one after another in one worker, whose start counts once.
grid() {
  local folder=$1
  shift
  "$PYTHON" -m cnnsweep --multirun data.root="$DATA" device="$DEVICE" pictures=false test=true \
    hydra.sweeper.n_jobs=1 hydra.sweep.dir="$RUNS/$folder" "$@"
}

lenet_256() {
  run networks_lenet_256 model=lenet data.batch_size=256 epochs="$LONG" graph=true
}

networks() {
  grid networks_64 data=mnist data.train_limit="$NETWORKS" epochs="$EPOCHS" data.batch_size=64 \
    model=lenet,resnet,simple,inception,densenet graph=true,false
}

# search FOLDER TRIALS OVERRIDE…: the same points whatever the order in which trials end. Learning
# rates and momentum stay where no trial diverges, so that all train as long.
search() {
  local folder=$1 trials=$2
  shift 2
  "$PYTHON" -m cnnsweep --multirun search=sgd hydra/sweeper/sampler=qmc hydra/sweeper/pruner=none \
    model=resnet data=mnist data.root="$DATA" data.train_limit="$SEARCH" epochs="$EPOCHS" \
    data.batch_size=64 'optim.lr=tag(log, interval(1e-4, 0.02))' 'optim.momentum=interval(0, 0.9)' \
    device="$DEVICE" graph=true pictures=false hydra.sweeper.sampler.seed=1 \
    hydra.sweeper.n_trials="$trials" hydra.sweep.dir="$RUNS/search_$folder" \
    hydra.sweeper.n_jobs=1 "$@"
}

stacked() {
  search "stack_$1" "$TRIALS" hydra.sweeper.stack="$1"
}

shared() {
  search "workers_$1_stack_$2" "$TRIALS" hydra.sweeper.n_jobs="$1" hydra.sweeper.stack="$2"
}

# Batch sizes are searched too, so that seats hold trials of several families.
any_batch_size() {
  search "batch_sizes_stack_$1" "$2" 'data.batch_size=choice(16, 32, 64, 128, 256)' \
    hydra.sweeper.stack="$1"
}

# As search=sgd stands: TPE, trials pause.
as_it_stands() {
  search "pausing_stack_$1" "$TRIALS" hydra/sweeper/sampler=tpe hydra/sweeper/pruner=freeze_thaw \
    hydra.sweeper.stack="$1"
}

stacking() {
  local words=(--device "$DEVICE" --data "$DATA" --out "$OUT/stacking.csv")
  if [ "$DEVICE" = cuda ]; then
    words+=(--stacks 64 16 1 4 --models resnet lenet --rounds 3 --seconds 0.25 --images 6400)
  else
    words+=(--stacks 2 --rounds 1 --seconds 0.05 --images 64 --batch-sizes 16)
  fi
  "$PYTHON" -m benchmarks.stacking "${words[@]}" --candidates "alone, graph" "grouped, graph" \
    "cnnsweep's stack, graph" "products, graph" "vmap, graph" streams "one graph of branches" \
    alone "cnnsweep's stack" grouped products vmap
}

# Each starts processes that import torch, and so has a command of its own.
processes() {
  local words=(--device "$DEVICE" --data "$DATA" --out "$OUT/processes.csv")
  if [ "$DEVICE" = cuda ]; then
    words+=(--stacks 16 --models resnet --rounds 3 --seconds 0.5 --images 6400 --processes 4)
  else
    words+=(--stacks 2 --models lenet --rounds 1 --seconds 0.05 --images 64 --processes 2)
  fi
  "$PYTHON" -m benchmarks.stacking "${words[@]}" --candidates "alone, graph" alone processes \
    "processes, MPS"
}

profile() {
  local stack=64 images=6400
  [ "$DEVICE" = cuda ] || { stack=2 images=128; }
  "$PYTHON" -m benchmarks.gpu_profile --device "$DEVICE" --data "$DATA" --stack "$stack" \
    --images "$images" --out "$OUT/profile.txt"
}

mnist_fast() {
  run recipes_mnist_fast experiment=mnist_fast data.train_limit="$RECIPES" graph=true
}

# Those whose data are there, the shortest first; FashionMNIST/raw is asked for by fashion_*.
recipes() {
  local names=mnist_resnet,mnist_simple,mnist_simple_5x5,mnist_densenet,mnist_inception,mnist_adam
  [ -d "$DATA/FashionMNIST/raw" ] && names=fashion_lenet,$names
  local words=(graph=true data.train_limit="$RECIPES")
  [ "$DEVICE" = cuda ] || words+=(epochs=1)
  grid recipes experiment="$names" "${words[@]}"
}

# Killed after its second epoch, the same command ends as the run that nothing stopped.
killed_run() {
  local words=(model=resnet deterministic=true graph=true epochs=6) pid lines=0
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

bare() {
  local words=(--images 20000 --rounds 6)
  [ "$DEVICE" = cuda ] || words=(--images 256 --rounds 1)
  "$PYTHON" -m benchmarks.throughput --data "$DATA" --device "$DEVICE" --layouts channels_last \
    --beside bare --models resnet lenet --precisions float32 --batch-sizes 64 "${words[@]}" \
    --out "$OUT/throughput_bare.csv"
}

# Ray Tune gives each of K trials a share of the GPU, a process each.
ray() {
  local words=(--at-once 16 4 1 --trials 32)
  [ "$DEVICE" = cuda ] || words=(--at-once 2 --trials 2)
  "$PYTHON" -m benchmarks.gpu_ray --device "$DEVICE" --out "$OUT/ray.csv" "${words[@]}" --keys \
    model=resnet data=mnist data.root="$DATA" data.train_limit="$SEARCH" epochs="$EPOCHS" \
    data.batch_size=64 graph=true pictures=false test=false
}

gpu_tests() {
  local files
  mapfile -t files < <(grep -rl 'pytest.mark.gpu' tests | sort)
  "$PYTHON" -m pytest -m gpu -n $TESTERS --dist load -v --timeout 110 -p no:cacheprovider "${files[@]}"
}
export -f run grid lenet_256 networks search stacked shared any_batch_size as_it_stands stacking
export -f processes profile mnist_fast recipes killed_run bare ray gpu_tests

: >"$OUT/gpu.log"
for part in "${PARTS[@]}"; do
  case $part in
    tests) step "tests of GPUs" "$TESTS" bash -c gpu_tests ;;
    networks)
      step "LeNet, batch 256, graph" 30 bash -c lenet_256
      step "five networks, graph and eager" 70 bash -c networks ;;
    fast) step "mnist_fast" 30 bash -c mnist_fast ;;
    search)
      step "search, one at a time" 60 bash -c "search stack_1 $ALONE"
      for stack in $STACKS; do
        step "search, stack=$stack" 45 bash -c "stacked $stack"
      done ;;
    stacking) step "ways of stacking" 90 bash -c stacking ;;
    processes) step "ways of stacking: processes" 45 bash -c processes ;;
    profile) step "profile" 30 bash -c profile ;;
    workers)
      step "search, 2 workers, stack=16" 40 bash -c 'shared 2 16'
      step "search, 4 workers, stack=16" 40 bash -c 'shared 4 16'
      step "search, 4 workers, stack=1" 40 bash -c 'shared 4 1' ;;
    recipes) step "recipes" 60 bash -c recipes ;;
    batch_sizes)
      step "search of batch sizes, stack=64" 45 bash -c "any_batch_size 64 $TRIALS"
      step "search of batch sizes, one by one" 45 bash -c "any_batch_size 1 $ALONE"
      step "search as it stands, stack=16" 40 bash -c 'as_it_stands 16' ;;
    killed) step "killed and resumed" 60 bash -c killed_run ;;
    bare) step "throughput beside a bare loop" 40 bash -c bare ;;
    ray) step "Ray Tune with shares of the GPU" 60 bash -c ray ;;
  esac
done
{
  echo
  printf '%s\n' "${SUMMARY[@]}"
  echo "in all $SECONDS s; logs and CSV files in $OUT"
} | tee -a "$OUT/gpu.log"
exit "$FAILED"
