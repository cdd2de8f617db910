"""What people type rests sealed, whatever the command: in stores, in views and in keys."""
