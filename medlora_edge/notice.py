"""What the program itself says wherever it answers; never left to a model."""

NOTICE = "Decision support only: answers may be wrong and never replace your judgement."
