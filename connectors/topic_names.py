"""The names of topics: one for each family of each publisher."""


def topic_name(family: str, publisher: str) -> str:
    """Return the topic a publisher writes one family to."""
    return f"mianti.{family}.{publisher}"


def publisher_of(topic: str) -> str:
    """Return the publisher whose topic this is."""
    return topic.split(".", 2)[2]
