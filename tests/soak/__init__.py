"""Everything at once, for a quarter of an hour, while parts of it are killed: `make soak`.

`town` is what it runs on, `parts` the processes that are killed and started again, `publish` and
`ask` what publishers and clerks do, `watch` takes the figures, `run` drives it all. At the end
`count` recounts it in columns and, where there is little enough, `tests.oracle` row by row.
"""
