"""The files of a result: the contract with every reader."""
