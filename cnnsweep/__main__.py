"""`python -m cnnsweep`."""

from cnnsweep.cli import main

main()
