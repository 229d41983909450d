"""Outside parties: for each an interface, the real one, and the one that is used while nothing is configured."""
