"""What every error that a person may meet looks like."""


class MiantiError(Exception):
    """A failure told in one sentence of English and one of Chinese.

    Neither sentence may repeat a value of a row: it ends on a terminal and in a log.
    """

    def __init__(self, message_en: str, message_zh: str) -> None:
        """Keep both sentences; `str()` of the error is the two, one per line."""
        super().__init__(message_en, message_zh)
        self.message_en = message_en
        self.message_zh = message_zh

    def __str__(self) -> str:
        return f"{self.message_en}\n{self.message_zh}"
