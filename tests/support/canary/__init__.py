"""Everything that people can say to the CRM, each text one of a kind, to be looked for later."""
