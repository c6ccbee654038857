"""`python -m workers`: work every kind of lane in one process."""

from workers.main import main

main()
