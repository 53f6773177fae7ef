"""The command line. Each module is one group of commands and is imported only when one of them is called."""
