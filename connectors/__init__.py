"""The edges of Mianti: Kafka, Avro framing, object storage, Delta tables, files, databases."""
