"""PostgreSQL: the only place with SQL. Rows come in, domain values go out."""
