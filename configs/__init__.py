"""One file a table: TABLE, a `resizemix_jax.tables.Table`, and get_config."""
