"""`python -m seqdl`: the command line, where the script is not on the path."""

from seqdl.cli.main import main

raise SystemExit(main())
