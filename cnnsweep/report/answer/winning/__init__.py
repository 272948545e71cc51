"""What won: winners of searches and grids, networks ranked, and what to type next."""
