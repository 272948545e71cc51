"""Networks: one architecture a file; sizes in, module out."""
