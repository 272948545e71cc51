#!/bin/bash
# One run, or a sweep with its workers, as a SLURM job that goes on after its time limit:
#   sbatch docs/slurm/run.sh model=lenet hydra.run.dir=$PWD/runs/lenet
#   sbatch docs/slurm/run.sh --multirun search=sgd model=lenet hydra.sweep.dir=$PWD/sweeps/lenet
# The folder must be given: it is how the job finds its epochs when it starts again.
#SBATCH --job-name=cnnsweep
#SBATCH --time=01:00:00
#SBATCH --cpus-per-task=2
#SBATCH --signal=TERM@60
#SBATCH --requeue
#SBATCH --open-mode=append
srun --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" python -m cnnsweep "$@"
code=$?
# 143: SIGTERM came before the limit, and the last whole epoch is kept.
[ "$code" = 143 ] && exec scontrol requeue "$SLURM_JOB_ID"
exit "$code"
