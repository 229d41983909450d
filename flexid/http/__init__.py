"""The wire: route declarations, guards, inputs and answers."""
