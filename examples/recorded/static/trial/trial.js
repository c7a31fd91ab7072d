// A page with a part in its address takes the focus away when it is loaded; the tour goes on with Enter there too.
addEventListener("load", () => setTimeout(() => document.querySelector(".tour [autofocus]")?.focus({ preventScroll: true })));
