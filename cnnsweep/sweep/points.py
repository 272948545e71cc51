"""The name under which recorded sweeps know the sampler."""

from cnnsweep.sweep.spec.optuna_internals import NumberedPoints as NumberedPoints
