"""`python -m rushes`."""

from rushes.cli import main

main()
