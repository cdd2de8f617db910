"""Every context, its reactions, the views and the API in one process over one folder."""
