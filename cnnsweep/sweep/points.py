"""The name under which recorded sweeps know the sampler."""

from cnnsweep.sweep.spec.samplers import NumberedPoints as NumberedPoints
