"""``python -m otrack_risk``, the same as ``otrack-risk``."""

from otrack_risk.cli import main

if __name__ == "__main__":
    main()
