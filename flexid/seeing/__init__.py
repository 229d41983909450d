"""What an operator sees from outside: metrics, and how all processes are."""
