"""What the runs answer: the best, what chance may have done to it, what it cost, in words."""
