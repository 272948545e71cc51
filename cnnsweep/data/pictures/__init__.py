"""Picture files: which ones, in which split, and each as pixels; no torch, no Hydra."""
