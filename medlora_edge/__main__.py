"""`python -m medlora_edge` is the program `medlora-edge`."""

from medlora_edge.cli.main import main

if __name__ == "__main__":
    main()
