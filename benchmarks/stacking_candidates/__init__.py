"""Ways of training several small networks at once, which `benchmarks.stacking` compares."""
