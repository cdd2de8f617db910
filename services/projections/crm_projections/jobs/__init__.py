"""Long work on views: asked for over HTTP, done by a process that follows the view."""
