"""What of this machine a process may use: physical cores, quota, memory. Needs no torch."""
