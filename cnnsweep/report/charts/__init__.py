"""Charts as plain data: computed once, drawn by plotly on the page and by matplotlib for slides."""
