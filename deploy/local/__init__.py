"""The local stack: Kafka, a Prefect server and the served deployments, each a process."""
