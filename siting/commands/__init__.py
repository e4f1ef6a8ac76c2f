"""The commands of ``siting``, a module for each group; all add themselves to the parser of :mod:`siting.cli`."""
