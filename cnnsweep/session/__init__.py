"""The epochs of one run: training, evaluation, and what a person sees and finds of them."""
