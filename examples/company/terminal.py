"""Terminal output of the demo: numbered steps, check marks, and progress bars."""

from rich.console import Console
from rich.markup import escape


class Terminal:
    """Prints the progress of the demo."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self.step_number = 0
        self._shown = ""

    def step(self, title: str) -> None:
        """Start a numbered step."""
        self.step_number += 1
        self.console.print(f"\n[bold]{self.step_number}. {escape(title)}[/bold]")

    def done(self, what: str, why: str = "") -> None:
        """Print a result with a check mark."""
        self._clear()
        self.console.print(f"   [green]✓[/green] {escape(what)}" + (f"  [dim]{escape(why)}[/dim]" if why else ""))

    def line(self, text: str) -> None:
        """Print a line."""
        self._clear()
        self.console.print(f"     {escape(text)}")

    def progress(self, share: float, phase: str) -> None:
        """Redraw the bar on a terminal; otherwise print one line per phase."""
        text = f"     {'█' * int(share * 24):<24} {share:4.0%} {phase}"
        if self.console.is_terminal:
            self.console.print(text[:100].ljust(100), end="\r", markup=False)
            self._shown = text
        elif phase and phase != self._shown:
            self._shown = phase
            self.console.print(f"     … {phase}", markup=False)

    def _clear(self) -> None:
        if self.console.is_terminal and self._shown:
            self.console.print(" " * 100, end="\r")
        self._shown = ""
