"""What the program itself says wherever it answers; never left to a model."""

NOTICE = "Decision support only: answers may be wrong and never replace your judgement."
UNTRAINED = "UNTRAINED MODEL: its weights are random, its answers mean nothing. It shows that the program works."
DEMONSTRATION = "DEMONSTRATION MODEL: not for clinical use. Install a real one: medlora-edge models add FILE"
