"""`python -m pamosnik`"""

from pamosnik.cli import main

if __name__ == "__main__":
    main()
