"""Charts as data: what is drawn, on which scale, and in which words. Pure; `governance.site.web.charts` draws them."""
