"""What every adapter on a SQL database shares: instants, migrations, connections."""
