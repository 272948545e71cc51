"""Workers that a Hydra launcher brings (joblib, Ray, SLURM): each connects back over TCP."""
