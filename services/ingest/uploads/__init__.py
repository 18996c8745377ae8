"""Files from a page: `petla import` for whoever has a browser, with a look at the first rows before any is sent."""
